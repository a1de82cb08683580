// Speaks to the API with the caller's key, which lives as long as the browser's tab.

const KEPT = "babychain-key";

export class ApiError extends Error {
  constructor(status, body, headers) {
    const error = body?.error ?? {};
    super(error.message ?? `The API answered ${status}.`);
    this.status = status;
    this.code = error.code ?? "unreachable";
    this.guidance = error.guidance;
    this.faults = error.errors ?? [];
    this.requestId = error.request_id;
    this.retryAfter = Number(headers?.get("retry-after")) || null;
  }
}

export const key = {
  get: () => sessionStorage.getItem(KEPT),
  set: (value) => sessionStorage.setItem(KEPT, value),
  forget: () => sessionStorage.removeItem(KEPT),
};

let refused = () => {};
export function onRefused(callback) {
  refused = callback;
}

export async function ask(path, { method = "GET", body, headers = {}, signal, form } = {}) {
  const sent = { authorization: `Bearer ${key.get() ?? ""}`, ...headers };
  if (body !== undefined) sent["content-type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers: sent, body: form ?? (body && JSON.stringify(body)), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { error: { code: "unreachable", message: "The API does not answer." } });
  }
  if (!answer.ok) throw await failureOf(answer);
  return answer.status === 204 ? null : answer.json();
}

// A key that is not taken any more leads to signing in, whatever was asked with it.
export async function failureOf(answer) {
  const failure = new ApiError(answer.status, await answer.json().catch(() => null), answer.headers);
  if (answer.status === 401) refused(failure);
  return failure;
}

export const get = (path, options) => ask(path, options);
export const post = (path, body, options) => ask(path, { method: "POST", body: body ?? {}, ...options });
export const remove = (path) => ask(path, { method: "DELETE" });

// What hardly changes while a page is open is asked for once.
const kept = new Map();
export function once(path) {
  if (!kept.has(path)) kept.set(path, get(path).catch((error) => { kept.delete(path); throw error; }));
  return kept.get(path);
}

// Our files are asked for where the page came from: the policy allows no other place.
export function ownAddress(url) {
  try {
    const parts = new URL(url, location.href);
    return parts.pathname.startsWith("/assets/") ? parts.pathname + parts.search : null;
  } catch {
    return null;
  }
}

// Of a link of ours, or as it was uploaded: the id alone.
export function assetId(url) {
  if (/^[0-9a-f]{64}\.\w+$/.test(url ?? "")) return url;
  return ownAddress(url)?.split("?")[0].split("/")[2] ?? null;
}

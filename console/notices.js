// What went wrong, in a sentence, with what to do about it.

import { h, replace } from "./dom.js";

const REMEDIES = {
  unreachable: ["The API does not answer.", "Check that it runs and that this machine reaches it; then try again."],
  invalid_api_key: ["This key is not known here.", "Sign in with a key of this deployment, or ask its operator for one."],
  temporal_unreachable: [
    "The workflow server does not answer: runs can neither be read nor started.",
    "Operators: start Temporal and check TEMPORAL_ADDRESS. Runs go on where they stopped.",
  ],
  insufficient_scope: ["This key may not do that.", "Sign in with a key that has the scope named below."],
};

export function problem(error, again) {
  const [cause, remedy] = REMEDIES[error.code] ?? [error.message, null];
  const steps = remedy ? [remedy] : error.guidance?.what_to_try_next ?? [];
  return h("div", { class: "problem", role: "alert" },
    h("p", { class: "cause" }, cause),
    REMEDIES[error.code] && error.code !== "unreachable" && h("p", { class: "quiet" }, error.message),
    steps.length > 0 && h("ul", null, steps.map((step) => h("li", null, step))),
    error.retryAfter && h("p", { class: "quiet" }, `Try again in ${error.retryAfter} s.`),
    error.requestId && h("p", { class: "quiet small" }, `Request ${error.requestId}`),
    again && h("button", { type: "button", onclick: again }, "Try again"));
}

export const loading = (what) => h("p", { class: "quiet loading" }, `Loading ${what}…`);

export const empty = (title, text, ...actions) =>
  h("div", { class: "empty" }, h("h2", null, title), h("p", null, text), actions);

export function toast(text) {
  const place = document.getElementById("notices");
  replace(place, h("p", { class: "toast" }, text));
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => replace(place), 4000);
}

export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without https a browser gives no clipboard: a selection is the old way.
    const area = h("textarea", { class: "offscreen", "aria-hidden": "true" }, text);
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  toast(`${what} copied.`);
}

// Whether anybody works, and on what ground: said at the top of pages that start or watch runs.
export function readiness(place) {
  fetch("/readyz").then((answer) => answer.json()).then((ready) => {
    if (ready.worker === "absent") {
      replace(place, banner("No worker is running.", "Runs are accepted and wait. Start one with ", "babychain serve worker"));
    } else if (ready.temporal === "unreachable") {
      replace(place, banner("The workflow server (Temporal) does not answer.", "Start it and check ", "TEMPORAL_ADDRESS"));
    } else if (ready.remedy) {
      replace(place, banner("Temporal has not been set up.", "Run ", "babychain setup"));
    } else replace(place);
  }).catch(() => {});
  return place;
}

function banner(cause, remedy, code) {
  return h("div", { class: "banner", role: "status" }, h("strong", null, cause), " ", remedy, h("code", null, code), ".");
}

// What went wrong, in a sentence, with what to do about it.

import { drawnOnce, h, replace } from "./dom.js";
import { every } from "./repeat.js";

// What the API's own words leave open, by the error's code: a cause where ours is the plainer one, and a remedy.
const REMEDIES = {
  unreachable: { remedy: "Check that it runs and that this machine reaches it; then try again." },
  invalid_api_key: { cause: "This key is not known here.", remedy: "Sign in with a key of this deployment, or ask its operator for one." },
  temporal_unreachable: {
    cause: "The workflow server does not answer: runs can neither be read nor started.",
    remedy: "Operators: start Temporal and check TEMPORAL_ADDRESS. Runs go on where they stopped.",
  },
  insufficient_scope: { remedy: "Sign in with a key that has it.", isFinal: true },
  run_not_found: { remedy: "It may be another caller's, or deleted.", isFinal: true, leads: true },
  invalid_run_id: { remedy: "Copy the id again: it has 36 characters.", isFinal: true, leads: true },
  not_found: { remedy: "The address may be mistyped.", isFinal: true, leads: true },
};

export function problem(error, again) {
  const { cause = error.message, remedy, isFinal, leads } = REMEDIES[error.code] ?? {};
  const steps = remedy ? [remedy] : error.guidance?.what_to_try_next ?? [];
  return h("div", { class: "problem", role: "alert" },
    h("p", { class: "cause" }, cause),
    steps.length === 1 ? h("p", null, withCode(steps[0])) : steps.length > 1 && h("ul", null, steps.map((step) => h("li", null, withCode(step)))),
    error.retryAfter && h("p", { class: "quiet" }, `Try again in ${error.retryAfter} s.`),
    error.requestId && h("p", { class: "quiet small" }, `Request ${error.requestId}`),
    leads && h("a", { class: "button", href: "#/runs" }, "To the runs"),
    again && !isFinal && h("button", { type: "button", onclick: again }, "Try again"));
}

// Commands and names of settings stand between `backticks` in the API's words.
export const withCode = (text) => text.split("`").map((part, index) => index % 2 === 1 ? h("code", null, part) : part);

// True at the second click: the first one only asks.
export function isSure(button, question) {
  if (button.textContent === question) return true;
  button.textContent = question;
  return false;
}

export const loading = (what) => h("p", { class: "quiet loading" }, `Loading ${what}…`);

export const empty = (title, text, ...actions) =>
  h("div", { class: "empty" }, h("h2", null, title), h("p", null, text), actions);

export function toast(text) {
  const place = document.getElementById("notices");
  replace(place, h("p", { class: "toast" }, text));
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => replace(place), 8000);
}

export async function copy(text, what, note) {
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
  toast([`${what} copied.`, note].filter(Boolean).join(" "));
}

const ASKED_EVERY = 15_000;
const AWAY = ["api", "The API does not answer.", "Check that it runs and that this machine reaches it; this page goes on by itself."];

// Whether anybody works, and on what ground: said at the top of pages that start or watch runs, and asked again there.
export function readiness(signal) {
  const element = h("div");
  const draw = drawnOnce(element, banner);
  const ask = () => fetch("/readyz", { signal }).then((answer) => answer.json()).then((ready) => draw(causeOf(ready)))
    .catch(() => signal.aborted || draw(AWAY));
  every(ASKED_EVERY, signal, ask);
  ask();
  return { element, ask };
}

function causeOf(ready) {
  if (ready.worker === "absent") return ["worker", "No worker is running.", "Runs are accepted and wait. Start one with `babychain serve worker`."];
  if (ready.temporal === "unreachable") return ["temporal", "The workflow server (Temporal) does not answer.", "Start it and check `TEMPORAL_ADDRESS`."];
  if (ready.remedy) return ["setup", "Temporal has not been set up.", "Run `babychain setup`."];
  return null;
}

const banner = (found) => found && h("div", { class: "banner", role: "status", "data-cause": found[0] }, h("strong", null, found[1]), " ", withCode(found[2]));

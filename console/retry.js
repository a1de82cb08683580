// A new run that takes over what the earlier one has made up to a step.

import { h } from "./dom.js";
import { isSure, problem } from "./notices.js";
import { go } from "./router.js";
import { start } from "./starts.js";

export function retryButton(id, step, text, kind) {
  const isUnknown = step.error?.code === "start_outcome_unknown";
  return h("button", { type: "button", class: kind, onclick: ({ target }) => {
    if (!isUnknown || isSure(target, "May pay a second time. Retry anyway?")) retry(target, id, step.step_key);
  } }, text);
}

async function retry(button, id, step) {
  button.disabled = true;
  try {
    const made = await start(`/api/v1/chains/runs/${id}/retry`, { from_step: step });
    go(`/runs/${made.id}`);
  } catch (error) {
    button.disabled = false;
    if (button.nextElementSibling?.matches(".problem")) button.nextElementSibling.remove();
    button.after(problem(error));
  }
}

// A new run that takes over what the earlier one has made up to a step.

import { post } from "./api.js";
import { problem } from "./notices.js";
import { go } from "./router.js";

export async function retry(button, id, step) {
  button.disabled = true;
  try {
    const made = await post(`/api/v1/chains/runs/${id}/retry`, { from_step: step });
    go(`/runs/${made.id}`);
  } catch (error) {
    button.disabled = false;
    button.after(problem(error));
  }
}

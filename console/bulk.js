// What can be done with many runs: compare two, stop those chosen, or stop all that the filters name.

import { post } from "./api.js";
import { h, replace } from "./dom.js";
import { problem, toast } from "./notices.js";
import { go } from "./router.js";

// So many the API takes by their ids in one batch.
const MOST = 100;

export function bulkBar(list, filters, facts) {
  const mayCancel = facts.scopes.includes("runs:cancel");
  const element = h("div", { class: "bulk row" });
  const said = h("div");

  function draw() {
    const chosen = [...list.chosen];
    replace(element,
      chosen.length > 0 && h("span", { class: "quiet" }, `${chosen.length} chosen`),
      h("button", { type: "button", disabled: chosen.length !== 2, onclick: () => go(`/compare?a=${chosen[0]}&b=${chosen[1]}`) }, "Compare two"),
      mayCancel && h("button", { type: "button", class: "danger", disabled: chosen.length === 0, onclick: () => ask({ ids: chosen.slice(0, MOST) }) }, chosen.length > MOST ? `Cancel the first ${MOST}` : "Cancel chosen"),
      mayCancel && h("button", { type: "button", class: "danger", disabled: !canFilter(), onclick: () => ask(order()) }, "Cancel all live…"),
      said);
  }

  // Prompt, model and status are no business of the server's batch: it would stop more than is shown.
  const canFilter = () => !filters.q && !filters.model && !filters.status;
  function order() {
    const named = { template: filters.template || undefined, tag: filters.tag ? [filters.tag] : undefined, metadata: filters.metadata ? [filters.metadata] : undefined };
    const some = Object.values(named).some(Boolean);
    return { ...named, ...(some ? {} : { all: true }) };
  }

  let isAsking = false;
  // One dialog, however often a slow answer is clicked for.
  async function ask(named) {
    if (isAsking) return;
    isAsking = true;
    replace(said);
    try {
      const { count } = await post("/api/v1/chains/runs/cancel", { ...named, dry_run: true });
      confirm(count, named);
    } catch (error) {
      replace(said, problem(error));
    } finally {
      isAsking = false;
    }
  }

  function confirm(count, named) {
    const dialog = h("dialog", { "aria-label": "Cancel runs", onclose: () => dialog.remove() },
      h("h2", null, count === 0 ? "Nothing to cancel" : count === 1 ? "Cancel one live run?" : `Cancel ${count} live runs?`),
      h("p", null, count === 0 ? "None of them is under way." : "Each stops within 30 seconds. Jobs that a provider can't stop may still be billed; each step says what became of its own."),
      h("div", { class: "actions" },
        count > 0 && h("button", { type: "button", class: "danger", onclick: async () => { dialog.close(); await send(named); } }, "Cancel them"),
        h("button", { type: "button", onclick: () => dialog.close() }, count > 0 ? "Keep them" : "Close")));
    document.body.append(dialog);
    dialog.showModal();
  }

  async function send(named) {
    try {
      const done = await post("/api/v1/chains/runs/cancel", named);
      toast(`${done.count} ${done.count === 1 ? "run is" : "runs are"} being stopped.`);
      list.refresh();
    } catch (error) {
      replace(said, problem(error));
    }
  }
  return { element, draw };
}

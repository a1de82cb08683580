// One row of the list of runs.

import { statusPill } from "./chain_picture.js";
import { drawnOnce, h } from "./dom.js";
import { thumbnail } from "./thumbnails.js";
import { between, date, ended, money, paid, seconds, spaced } from "./words.js";

export function runRow(run, list) {
  const box = h("input", { type: "checkbox", "aria-label": `Choose run ${run.id}`, onchange: ({ target }) => {
    if (target.checked) list.chosen.add(run.id);
    else list.chosen.delete(run.id);
    list.onChosen();
  } });
  const link = h("a", { href: `#/runs/${run.id}` });
  const element = h("li", { class: "run", "data-run": run.id }, box, link);
  const draw = drawnOnce(link, row);
  let shown = {};
  // A run read alone lacks the beginning of its prompt, which its row had.
  const update = (now) => {
    shown = Object.fromEntries(SHOWN.map((name) => [name, now[name] ?? shown[name]]));
    draw(shown);
  };
  update(run);
  return { element, update, get live() { return !ended(shown.status); } };
}

const SHOWN = ["id", "status", "chain_slug", "prompt", "steps", "error", "created_at", "updated_at", "current_step_key", "estimate", "cost"];

function row(run) {
  const outputs = run.steps.flatMap((step) => step.generation_output_file ?? []);
  const now = ended(run.status) ? `took ${seconds(between(run.created_at, run.updated_at))}` : run.status === "queued" ? "queued" : `at ${spaced(run.current_step_key)}`;
  return [
    h("span", { class: "pictures" }, outputs.length > 0 ? outputs.slice(-2).map((url) => thumbnail(url, "")) : h("span", { class: "thumb missing" })),
    h("span", { class: "text" },
      h("span", { class: "row" }, h("strong", null, run.chain_slug), statusPill(run.status), run.status === "failed" && run.error && h("span", { class: "fault small short", title: run.error.code }, run.error.message)),
      run.prompt && h("span", { class: "prompt small", dir: "auto" }, run.prompt),
      h("span", { class: "quiet small models" }, run.steps.map((step) => step.served_by?.model ?? step.model_identifier).join(" → "))),
    h("span", { class: "quiet small when" }, h("span", null, date(run.created_at)), h("span", null, now)),
    h("span", { class: "small cost" }, cost(run)),
  ];
}

function cost(run) {
  const spent = paid(run);
  const note = !spent ? "estimated" : spent.wasted ? `${spent.wasted} of it wasted` : !ended(run.status) && "so far";
  return [h("span", null, spent?.total ?? money(run.estimate)), note && h("span", { class: "quiet" }, note)];
}

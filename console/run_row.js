// One row of the list of runs.

import { statusPill } from "./chain_picture.js";
import { drawnOnce, h } from "./dom.js";
import { thumbnail } from "./thumbnails.js";
import { between, date, ended, money, seconds, spaced } from "./words.js";

export function runRow(run, list) {
  const box = h("input", { type: "checkbox", "aria-label": `Choose run ${run.id}`, onchange: ({ target }) => {
    if (target.checked) list.chosen.add(run.id);
    else list.chosen.delete(run.id);
    list.onChosen();
  } });
  const link = h("a", { href: `#/runs/${run.id}` });
  const element = h("li", { class: "run", "data-run": run.id }, box, link);
  const draw = drawnOnce(link, row);
  draw(run);
  return { element, update: draw, get live() { return !ended(run.status); } };
}

function row(run) {
  const outputs = run.steps.flatMap((step) => step.generation_output_file ?? []);
  const now = ended(run.status) ? `took ${seconds(between(run.created_at, run.updated_at))}` : `at ${spaced(run.current_step_key)}`;
  return [
    h("span", { class: "pictures" }, outputs.length > 0 ? outputs.slice(-2).map((url) => thumbnail(url, "")) : h("span", { class: "thumb missing" })),
    h("span", { class: "text" },
      h("span", { class: "row" }, h("strong", null, run.chain_slug), statusPill(run.status), run.status === "failed" && run.error && h("code", { class: "fault" }, run.error.code)),
      run.prompt && h("span", { class: "prompt small" }, run.prompt),
      h("span", { class: "quiet small models" }, run.steps.map((step) => step.served_by?.model ?? step.model_identifier).join(" → "))),
    h("span", { class: "quiet small when" }, h("span", null, date(run.created_at)), h("span", null, now)),
    h("span", { class: "small cost" }, money(run.cost?.useful ?? run.estimate)),
  ];
}

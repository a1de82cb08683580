// The lab: choose a chain, fill its form, see what it would cost, run it.

import { get, once } from "./api.js";
import { templatePicture } from "./chain_picture.js";
import { codePanel } from "./copy.js";
import { h, replace } from "./dom.js";
import { estimatePanel, faultsOf } from "./estimate.js";
import { leftOut } from "./left_out.js";
import { loading, problem, readiness } from "./notices.js";
import { optionsForm } from "./options.js";
import { picturePicker } from "./picture.js";
import { promptOf } from "./prompts.js";
import { go } from "./router.js";
import { start } from "./starts.js";
import { stepForm } from "./step_form.js";

const EXAMPLES = {
  image: "a paper boat on a copper sea, soft evening light",
  video: "waves roll, the camera drifts left",
};

// What was typed for each chain stays while the tab does.
const drafts = new Map();
let lastSlug = null;

export async function lab(page, { query, facts, signal }) {
  replace(page, loading("chains and models"));
  const [templates, models, providers] = await Promise.all([
    once("/api/v1/chains"), once("/api/v1/models"), get("/api/v1/providers", { signal }).catch(() => ({ data: [] })),
  ]);
  if (query.get("from")) await takeOver(query.get("from"));
  const known = { templates: templates.data, models: models.data, providers: providers.data, prices: facts.prices, mayRun: facts.scopes.includes("chains:run") };
  const first = known.templates.find(({ slug }) => slug === (query.get("chain") ?? lastSlug)) ?? known.templates[0];
  const work = h("div", { class: "lab" });
  const chooser = h("div", { class: "templates", role: "radiogroup", "aria-label": "Chain" }, known.templates.map((template) =>
    h("label", { class: "card template" },
      h("input", { type: "radio", name: "chain", value: template.slug, checked: template === first,
        onchange: () => choose(template) }),
      h("span", null,
        h("span", { class: "row" }, templatePicture(template), h("strong", null, template.slug)),
        h("span", { class: "quiet small" }, template.description)))));
  const choose = (template) => {
    lastSlug = template.slug;
    drawWork(work, template, known, facts, signal);
  };
  replace(page, h("h1", { class: "offscreen" }, "Lab"), readiness(signal).element, chooser, work);
  choose(first);
}

async function takeOver(runId) {
  const id = encodeURIComponent(runId);
  const [run, told] = await Promise.all([
    get(`/api/v1/chains/get/${id}`), get(`/api/v1/chains/runs/${id}/deliveries`).then(({ data }) => data, () => null),
  ]);
  lastSlug = run.chain_slug;
  const { input, metadata, max_cost: limit } = structuredClone(run);
  drafts.set(run.chain_slug, { input, metadata, ...(limit ? { max_cost: limit.amount } : {}), from: runId, lacks: leftOut(run, told) });
}

function draftOf(template) {
  if (!drafts.has(template.slug)) {
    const input = {};
    for (const step of template.steps) input[`${step.key}_prompt`] = EXAMPLES[step.kind];
    drafts.set(template.slug, { input });
  }
  return drafts.get(template.slug);
}

function drawWork(work, template, known, facts, signal) {
  const draft = draftOf(template);
  const { mayRun } = known;
  const said = h("div", { role: "status" });
  const estimate = estimatePanel(template, bodyOf, { missing, showFaults, onPlan, signal });
  const code = codePanel(() => [template.slug, bodyOf()], "request");
  const picture = template.input_fields.some(({ name }) => name === "source_image_url") && picturePicker(draft.input, mayRun, changed);
  const forms = template.steps.map((step) => stepForm(step, template, draft, known, changed));
  const options = optionsForm(draft, changed);
  const parts = [picture, ...forms, options].filter(Boolean);
  // No submit button, so that Enter in a field starts nothing that is paid for.
  const button = h("button", { class: "primary run", type: "button", title: "Ctrl + Enter", onclick: run }, "Run");

  function changed(what) {
    replace(said);
    code.update();
    if (what === "fallbacks") forms.forEach((form) => form.showStandIn());
    if (mayRun && what !== "prompt") estimate.soon();
  }

  // What an example can't stand in for is asked for in words, not by an error.
  function missing() {
    const broken = forms.map((form) => form.broken()).find(Boolean);
    if (broken) return `Correct “${broken}”`;
    if (parts.some((one) => one.isUploading?.())) return "Wait for the upload";
    // An earlier run may have named its picture and its prompts in places that this form does not show.
    if (draft.from) return undefined;
    if (picture && !draft.input.source_image_url) return "Add a start picture";
    const step = template.steps.find(({ key }) => promptOf(draft.input, key) === "");
    return step && `Write a prompt for “${step.title}”`;
  }

  function onPlan(shown, amount) {
    replace(button, "Run", amount && h("span", { class: "for" }, ` ${amount}`));
    if (shown) forms.forEach((form, index) => form.showPlan(shown.steps[index]));
  }

  function bodyOf() {
    const { from: _, lacks: __, ...body } = draft;
    return JSON.parse(JSON.stringify(body));
  }

  // Each part shows what is its own; gives back what is nobody's.
  function showFaults(faults) {
    return parts.reduce((rest, one) => one.showFaults(rest), faults);
  }

  async function run() {
    const lacking = missing();
    if (lacking || estimate.isRefused()) {
      replace(said, lacking && h("p", { class: "fault" }, `${lacking} first.`));
      return toFirstFault(work);
    }
    button.disabled = true;
    replace(said);
    try {
      const made = await start(`/api/v1/chains/${template.slug}/runs`, bodyOf());
      go(`/runs/${made.id}`);
    } catch (error) {
      button.disabled = false;
      if (signal.aborted) return;
      const left = showFaults(error.faults ?? []);
      replace(said, error.faults?.length > 0 ? faultsOf(error.faults, left) : problem(error));
      said.scrollIntoView({ block: "nearest" });
      toFirstFault(work);
    }
  }

  const onkeydown = (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !button.disabled) run(); };
  button.disabled = !mayRun;
  replace(work, h("form", { class: "columns", onsubmit: (event) => event.preventDefault(), onkeydown, novalidate: true },
    h("div", { class: "main-column" },
      draft.from && h("p", { class: "quiet" }, "From run ", h("a", { href: `#/runs/${draft.from}` }, draft.from), ", to run again with your changes. ", draft.lacks),
      parts.map(({ element }) => element)),
    h("aside", { class: "side", "aria-label": "Estimate and request" },
      h("div", { class: "card go" },
        mayRun ? estimate.element : h("p", { class: "quiet" }, "This key may not start runs: it has not the scope chains:run."),
        button, said),
      h("details", { class: "card", open: matchMedia("(min-width: 900px)").matches }, h("summary", null, "The same as a request"), code.element))));
  if (mayRun) estimate.now();
}

function toFirstFault(work) {
  const control = work.querySelector('[aria-invalid="true"]');
  const closed = control?.closest("details");
  if (closed) closed.open = true;
  control?.focus();
}

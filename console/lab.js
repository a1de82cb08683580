// The lab: choose a chain, fill its form, see what it would cost, run it.

import { get, once, post } from "./api.js";
import { templatePicture } from "./chain_picture.js";
import { codePanel } from "./copy.js";
import { h, replace } from "./dom.js";
import { estimatePanel } from "./estimate.js";
import { loading, problem, readiness } from "./notices.js";
import { optionsForm } from "./options.js";
import { picturePicker } from "./picture.js";
import { promptOf } from "./prompts.js";
import { go } from "./router.js";
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
  const known = { templates: templates.data, models: models.data, providers: providers.data, prices: facts.prices };
  const start = known.templates.find(({ slug }) => slug === (query.get("chain") ?? lastSlug)) ?? known.templates[0];
  const work = h("div", { class: "lab" });
  const chooser = h("div", { class: "templates", role: "radiogroup", "aria-label": "Chain" }, known.templates.map((template) =>
    h("label", { class: "card template" },
      h("input", { type: "radio", name: "chain", value: template.slug, checked: template === start,
        onchange: () => choose(template) }),
      h("span", null,
        h("span", { class: "row" }, templatePicture(template), h("strong", null, template.slug)),
        h("span", { class: "quiet small" }, template.description)))));
  const choose = (template) => {
    lastSlug = template.slug;
    drawWork(work, template, known, facts, signal);
  };
  replace(page, h("h1", { class: "offscreen" }, "Lab"), readiness(h("div")), chooser, work);
  choose(start);
}

async function takeOver(runId) {
  const run = await get(`/api/v1/chains/get/${encodeURIComponent(runId)}`);
  lastSlug = run.chain_slug;
  drafts.set(run.chain_slug, { input: structuredClone(run.input), metadata: run.metadata, from: runId });
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
  const said = h("div");
  const estimate = estimatePanel(template, bodyOf, { missing, showFaults, onTotal, signal });
  const code = codePanel(() => [template.slug, bodyOf()], "request");
  const changed = (what) => { code.update(); if (what !== "prompt") estimate.soon(); };
  const picture = template.input_fields.some(({ name }) => name === "source_image_url") && picturePicker(draft.input, changed);
  const forms = template.steps.map((step) => stepForm(step, template, draft.input, known, changed));
  const options = optionsForm(draft, changed);
  const button = h("button", { class: "primary run", type: "submit" }, "Run");

  // What an example can't stand in for is asked for in words, not by an error.
  function missing() {
    if (picture && !draft.from && !draft.input.source_image_url) return "Add a start picture to see what it costs.";
    const step = template.steps.find(({ key }) => promptOf(draft.input, key) === "");
    return step && `Write a prompt for “${step.title}” to see what it costs.`;
  }

  function onTotal(amount) {
    replace(button, "Run", amount && h("span", { class: "for" }, ` for ${amount}`));
  }

  function bodyOf() {
    const { from: _, ...body } = draft;
    return JSON.parse(JSON.stringify(body));
  }

  function showFaults(faults) {
    const left = forms.reduce((rest, form) => form.showFaults(rest), faults);
    return picture ? picture.showFaults(left) : left;
  }

  async function run(event) {
    event.preventDefault();
    button.disabled = true;
    replace(said);
    try {
      const made = await post(`/api/v1/chains/${template.slug}/runs`, bodyOf(), { headers: { "idempotency-key": freshKey() } });
      go(`/runs/${made.id}`);
    } catch (error) {
      showFaults(error.faults ?? []);
      replace(said, problem(error), faultList(error.faults));
      said.scrollIntoView({ block: "nearest" });
      button.disabled = false;
    }
  }

  replace(work, h("form", { class: "columns", onsubmit: run, novalidate: true },
    h("div", { class: "main-column" },
      draft.from && h("p", { class: "quiet" }, "From run ", h("a", { href: `#/runs/${draft.from}` }, draft.from), ", to run again with your changes."),
      picture && picture.element,
      forms.map(({ element }) => element),
      options),
    h("aside", { class: "side", "aria-label": "Estimate and request" },
      h("div", { class: "card go" }, estimate.element, button, said),
      h("details", { class: "card", open: matchMedia("(min-width: 900px)").matches }, h("summary", null, "The same as a request"), code.element))));
  estimate.now();
}

const faultList = (faults) => faults?.length > 0 && h("ul", { class: "faults" },
  faults.map(({ path, message }) => h("li", null, h("code", null, path.join(".")), ` ${message}`)));

// Not crypto.randomUUID: a page over plain http in a private network has none.
const freshKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// One step of a chain in the lab: its model, its stand-in, its prompt, its model's own parameters.

import { once } from "./api.js";
import { freshId, h, replace } from "./dom.js";
import { keepKnown, markFault, schemaForm } from "./form.js";
import { furtherPictures } from "./further.js";
import { loading, problem } from "./notices.js";
import { movePrompt, promptOf, setPrompt } from "./prompts.js";
import { modelChoices, standIn } from "./stand_in.js";
import { capital, SAFETY, seconds, spaced } from "./words.js";

export function stepForm(step, template, draft, known, changed) {
  const { input } = draft;
  const field = template.input_fields.find(({ name }) => name === `${step.key}_model`);
  const named = () => input.chain_models?.[`${step.key}_model`] ?? input[`${step.key}_model`] ?? field.default;
  const models = known.models.filter(({ kind, available }) => kind === step.kind && available);
  const [first, second] = [named()].flat();
  const parameters = h("div", { class: "parameters" });
  const about = h("div", { class: "about" });
  const pictures = h("div", { class: "beside" });
  const dropped = h("p", { class: "quiet small", role: "status" });
  const promptId = freshId("prompt");
  const fault = h("span", { class: "fault", id: `${promptId}-fault` });
  const prompt = h("textarea", {
    id: promptId, rows: "3", dir: "auto", value: promptOf(input, step.key), "aria-describedby": `${promptId}-fault`,
    oninput: ({ target }) => {
      const wasEmpty = promptOf(input, step.key) === "";
      setPrompt(input, step.key, target.value);
      changed(wasEmpty || target.value === "" ? "presence" : "prompt");
    },
  });
  let form = null;
  let further = null;
  let held = [];
  let told = [];

  const model = h("select", { onchange: () => { takePictures(); movePrompt(input, step.key); spare.forget(); choose(); draw(model.value, true); changed("model"); } },
    modelChoices(models, known.prices, first));
  const spare = standIn(draft, models, known.prices, second ?? null, () => { choose(); changed("fallbacks"); });
  function choose() {
    const other = spare.chosen();
    input.chain_models ??= {};
    delete input[`${step.key}_model`];
    input.chain_models[`${step.key}_model`] = other && other !== model.value ? [model.value, other] : model.value;
  }

  // The pictures wait for the model that was chosen, however long its schema takes.
  function takePictures() {
    held.push(...further?.take() ?? []);
    further = null;
    replace(pictures);
  }

  // Those of another model go along, as many as this one takes; gives back how many it does not take.
  function drawPictures(place, values, kept) {
    const mine = place && furtherPictures(place, values, ["input", `${step.key}_params`], known.mayRun, () => {
      // A file may come up when another model has been chosen meanwhile.
      if (mine !== further) return;
      form.reread(place.list?.[0]);
      kept("pictures");
    });
    further = mine;
    replace(pictures, further?.element);
    const moved = held;
    held = [];
    return (further ? further.give(moved) : moved).length;
  }

  async function draw(id, isNew) {
    replace(parameters, loading("parameters"));
    replace(dropped);
    try {
      const shown = await once(`/api/v1/models/${id}`);
      if (id !== model.value) return;
      const values = input[`${step.key}_params`] ?? {};
      const lost = isNew ? keepKnown(shown.raw_schema.request, values) : [];
      const place = placeOf(shown, step, template);
      const kept = (name) => {
        if (name === place?.list?.[0]) further.read();
        if (Object.keys(values).length > 0) input[`${step.key}_params`] = values;
        else delete input[`${step.key}_params`];
        changed(name);
      };
      const isMoving = held.length > 0;
      const left = drawPictures(place, values, kept);
      if (left > 0) lost.push(left === 1 ? "1 further picture" : `${left} further pictures`);
      form = schemaForm(shown.raw_schema.request, values, { skip: ["prompt", "content", ...shown.input_pictures.fields], changed: kept });
      replace(parameters, form.element, unseen(Object.keys(values), [...form.names, ...place?.fields ?? []]));
      replace(about, aboutModel(shown, known));
      showFaults(told);
      if (lost.length > 0) replace(dropped, `Left out, since ${id} does not take them so: ${lost.join(", ")}.`);
      if (lost.length > 0 || isMoving) kept("model");
    } catch (error) {
      replace(parameters, problem(error, () => draw(id, isNew)));
    }
  }

  const element = h("fieldset", { class: "card step-form", "data-step": step.key },
    h("legend", null, h("span", { class: `node kind-${step.kind}`, "aria-hidden": "true" }, step.kind === "video" ? "▶" : "▣"), ` ${step.title}`),
    h("div", { class: "fields models" },
      labelled("Model", model), labelled("If it fails, try", spare.element)),
    about,
    h("div", { class: "field wide" }, h("label", { for: promptId }, "Prompt"), prompt, fault),
    pictures, dropped, parameters);
  draw(first);

  // Shows the faults that are this step's, and gives back the others.
  function showFaults(all) {
    told = all;
    const others = further ? further.showFaults(all) : all;
    const isOurs = ({ path }) => path[0] === "input" && path[1] === `${step.key}_params`;
    const ofPrompt = others.filter(({ path }) => (isOurs({ path }) && ["prompt", "content"].includes(path[2])) || path[1] === `${step.key}_prompt`);
    markFault(prompt, fault, ofPrompt);
    const ofForm = others.filter((one) => isOurs(one) && !ofPrompt.includes(one));
    form?.showFaults(ofForm.map(({ path, message }) => ({ name: path[2], message })));
    return others.filter((one) => !ofPrompt.includes(one) && !(isOurs(one) && form?.names.includes(one.path[2])));
  }

  return {
    element,
    showPlan: ({ candidates }) => candidates?.[0].model === model.value && spare.showPlan(candidates),
    showStandIn: spare.show,
    broken: () => form?.broken(),
    isUploading: () => further?.isUploading(),
    showFaults,
  };
}

// Where this step takes further pictures, if it does: beside one of the chain's, or beside the start picture.
function placeOf({ input_pictures: { further } }, step, template) {
  const startsHere = step.depends_on.length === 0 && template.input_fields.some(({ name }) => name === "source_image_url");
  return step.depends_on.length > 0 || (startsHere && further?.beside_start_picture) ? further : null;
}

// What an earlier run was given, and this form has no field for, is sent too.
function unseen(given, names) {
  const others = given.filter((name) => !names.includes(name) && !["prompt", "content"].includes(name));
  return others.length > 0 && h("p", { class: "quiet small" }, `Also sent, as the run had it: ${others.join(", ")}.`);
}

function labelled(text, control) {
  control.id = freshId("model");
  return h("div", { class: "field" }, h("label", { for: control.id }, text), control);
}

function aboutModel(shown, known) {
  const account = known.providers.find(({ models }) => models.some(({ id }) => id === shown.id));
  const usual = account?.last_hour.seconds.p50 ?? account?.last_day.seconds.p50;
  return [
    down(account, shown.id),
    h("p", { class: "quiet small" },
      h("span", { title: SAFETY[shown.safety_class] }, `Safety class ${shown.safety_class}`),
      usual && ` · half of ${account.name}'s jobs end within ${seconds(usual)}`,
      !usual && ` · by ${account?.name ?? shown.provider}`),
    shown.hints.length > 0 && h("ul", { class: "hints" }, shown.hints.map((hint) => h("li", null, hint))),
  ];
}

function down(account, id) {
  if (!account) return null;
  const model = account.models.find((one) => one.id === id)?.disabled;
  if (model) return warning(`${id} is disabled${model.reason ? `: ${model.reason}` : ""}.`);
  const name = capital(spaced(account.name));
  if (account.disabled) return warning(`${name} is disabled${account.disabled.reason ? `: ${account.disabled.reason}` : ""}.`);
  if (account.breaker.state !== "closed") return warning(`${name} is out: ${account.breaker.message ?? account.breaker.reason}`);
  return null;
}

const warning = (text) => h("p", { class: "warning" }, text, " New runs wait for it, or go to their stand-in: choose another model, or name one.");

// One step of a chain in the lab: its model, its stand-in, its prompt, its model's own parameters.

import { once } from "./api.js";
import { freshId, h, replace } from "./dom.js";
import { markFault, schemaForm } from "./form.js";
import { loading, problem } from "./notices.js";
import { movePrompt, promptOf, setPrompt } from "./prompts.js";
import { capital, money, SAFETY, seconds, spaced } from "./words.js";

export function stepForm(step, template, input, known, changed) {
  const field = template.input_fields.find(({ name }) => name === `${step.key}_model`);
  const named = () => input.chain_models?.[`${step.key}_model`] ?? input[`${step.key}_model`] ?? field.default;
  const models = known.models.filter(({ kind, available }) => kind === step.kind && available);
  const [first, second] = [named()].flat();
  const parameters = h("div");
  const about = h("div", { class: "about" });
  const promptId = freshId("prompt");
  const fault = h("span", { class: "fault", id: `${promptId}-fault` });
  const prompt = h("textarea", {
    id: promptId, rows: "3", value: promptOf(input, step.key), "aria-describedby": `${promptId}-fault`,
    oninput: ({ target }) => {
      const wasEmpty = promptOf(input, step.key) === "";
      setPrompt(input, step.key, target.value);
      changed(wasEmpty || target.value === "" ? "presence" : "prompt");
    },
  });
  let form = null;
  let faults = [];

  const model = modelSelect(models, known.prices, first, (id) => { movePrompt(input, step.key); choose(); draw(id); changed("model"); });
  const standIn = modelSelect(models, known.prices, second ?? "", () => { choose(); changed("model"); }, "none");
  function choose() {
    input.chain_models ??= {};
    delete input[`${step.key}_model`];
    input.chain_models[`${step.key}_model`] = standIn.value && standIn.value !== model.value ? [model.value, standIn.value] : model.value;
  }

  async function draw(id) {
    replace(parameters, loading("parameters"));
    try {
      const shown = await once(`/api/v1/models/${id}`);
      const values = input[`${step.key}_params`] ?? {};
      form = schemaForm(shown.raw_schema.request, values, { skip: ["prompt", "content"], changed: (name) => {
        if (Object.keys(values).length > 0) input[`${step.key}_params`] = values;
        else delete input[`${step.key}_params`];
        changed(name);
      } });
      replace(parameters, form.element);
      replace(about, aboutModel(shown, known));
      form.showFaults(faults);
    } catch (error) {
      replace(parameters, problem(error, () => draw(id)));
    }
  }

  const element = h("fieldset", { class: "card step-form", "data-step": step.key },
    h("legend", null, h("span", { class: `node kind-${step.kind}`, "aria-hidden": "true" }, step.kind === "video" ? "▶" : "▣"), ` ${step.title}`),
    h("div", { class: "fields models" },
      labelled("Model", model), labelled("If it fails, try", standIn)),
    about,
    h("div", { class: "field wide" }, h("label", { for: promptId }, "Prompt"), prompt, fault),
    parameters);
  draw(first);

  return {
    element,
    // Shows the faults that are this step's, and gives back the others.
    showFaults(all) {
      const isOurs = ({ path }) => path[0] === "input" && path[1] === `${step.key}_params`;
      const ofPrompt = all.filter(({ path }) => (isOurs({ path }) && ["prompt", "content"].includes(path[2])) || path[1] === `${step.key}_prompt`);
      markFault(prompt, fault, ofPrompt);
      faults = all.filter((one) => isOurs(one) && !ofPrompt.includes(one)).map(({ path, message }) => ({ name: path[2], message }));
      form?.showFaults(faults);
      return all.filter((one) => !ofPrompt.includes(one) && !(isOurs(one) && form?.names.includes(one.path[2])));
    },
  };
}

function labelled(text, control) {
  control.id = freshId("model");
  return h("div", { class: "field" }, h("label", { for: control.id }, text), control);
}

function modelSelect(models, prices, chosen, changed, none) {
  const choices = models.some(({ id }) => id === chosen) || !chosen ? models : [{ id: chosen }, ...models];
  return h("select", { onchange: ({ target }) => changed(target.value) },
    none && h("option", { value: "", selected: !chosen }, none),
    choices.map(({ id }) => h("option", { value: id, selected: id === chosen }, `${id} · ${money(prices[id])}`)));
}

function aboutModel(shown, known) {
  const account = known.providers.find(({ models }) => models.some(({ id }) => id === shown.id));
  const usual = account?.last_hour.seconds.p50 ?? account?.last_day.seconds.p50;
  return [
    down(account),
    h("p", { class: "quiet small" },
      h("span", { title: SAFETY[shown.safety_class] }, `Safety class ${shown.safety_class}`),
      usual && ` · half of ${account.name}'s jobs took ${seconds(usual)}`,
      !usual && ` · by ${account?.name ?? shown.provider}`),
    shown.hints.length > 0 && h("ul", { class: "hints" }, shown.hints.map((hint) => h("li", null, hint))),
  ];
}

function down(account) {
  if (!account) return null;
  const name = capital(spaced(account.name));
  if (account.disabled) return warning(`${name} is disabled${account.disabled.reason ? `: ${account.disabled.reason}` : ""}.`);
  if (account.breaker.state !== "closed") return warning(`${name} is out: ${account.breaker.message ?? account.breaker.reason}`);
  return null;
}

const warning = (text) => h("p", { class: "warning" }, text, " New runs wait for it, or go to their stand-in: choose another model, or name one.");

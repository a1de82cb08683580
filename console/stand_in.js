// Which model takes over when a step's first one fails: one that was chosen, the deployment's own, or none.

import { drawnOnce, h } from "./dom.js";
import { money } from "./words.js";

const OWN = "";
const NONE = "none";

// `choice` is the model that was chosen, or null; `changed()` is told of another.
export function standIn(draft, models, prices, choice, changed) {
  // What the deployment itself puts in, once an estimate has said so.
  let own = null;
  const element = h("select", { onchange: () => { take(element.value); changed(); } });
  const draw = drawnOnce(element, ({ label, canRefuse, chosen }) => [
    h("option", { value: OWN, selected: chosen === OWN }, label),
    canRefuse && h("option", { value: NONE, selected: chosen === NONE }, "none, for all steps"),
    modelChoices(models, prices, choice)]);

  // The API knows one switch for all steps whose model was named alone.
  function take(value) {
    choice = [OWN, NONE].includes(value) ? null : value;
    if (value === NONE) draft.fallbacks = false;
    else if (value === OWN) delete draft.fallbacks;
  }

  function show() {
    const isRefused = draft.fallbacks === false;
    draw({ label: labelOf(own), canRefuse: own === null ? isRefused : own.length > 0, chosen: choice ?? (isRefused ? NONE : OWN) });
  }

  function showPlan(candidates) {
    if (choice || draft.fallbacks === false) return;
    own = candidates.slice(1).map(({ model }) => model);
    show();
  }
  show();
  return { element, show, showPlan, chosen: () => choice, forget: () => { own = null; show(); } };
}

function labelOf(own) {
  if (own === null) return "the deployment's own, if any";
  return own.length > 0 ? `the deployment's own: ${own.join(", ")}` : "none";
}

export function modelChoices(models, prices, chosen) {
  const choices = models.some(({ id }) => id === chosen) || !chosen ? models : [{ id: chosen }, ...models];
  return choices.map(({ id }) => h("option", { value: id, selected: id === chosen }, `${id} · ${money(prices[id])}`));
}

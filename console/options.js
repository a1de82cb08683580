// What stands beside a run's input: tags, a cost limit, a callback.

import { freshId, h } from "./dom.js";
import { markFault } from "./form.js";

export function optionsForm(draft, changed) {
  const set = (name, value) => {
    if (value === "") delete draft[name];
    else draft[name] = value;
    changed(name);
  };
  const setTags = (text) => {
    const tags = text.split(",").map((tag) => tag.trim()).filter(Boolean);
    const { tags: _, ...rest } = draft.metadata ?? {};
    const metadata = tags.length > 0 ? { ...rest, tags } : rest;
    if (Object.keys(metadata).length > 0) draft.metadata = metadata;
    else delete draft.metadata;
    changed("metadata");
  };
  const fields = [
    field("metadata", "Tags", [draft.metadata?.tags ?? []].flat().join(", "), "Split by commas; the list of runs finds them.", setTags),
    field("max_cost", "Most it may cost (US$)", draft.max_cost ?? "", "The run ends before it would cost more.", (text) => set("max_cost", text), { inputmode: "decimal" }),
    field("webhook_url", "Callback address", draft.webhook_url ?? "", "Told, signed, when the run ends.", (text) => set("webhook_url", text), { type: "url", placeholder: "https://…" }),
  ];
  const element = h("details", { class: "card options", open: Boolean(draft.webhook_url || draft.max_cost || draft.metadata) },
    h("summary", null, "Tags, cost limit, callback"),
    h("div", { class: "fields" }, fields.map((one) => one.element)));
  return {
    element,
    showFaults(faults) {
      const ours = (one) => faults.filter(({ path }) => path[0] === one.name);
      for (const one of fields) one.showFaults(ours(one));
      if (fields.some((one) => ours(one).length > 0)) element.open = true;
      return faults.filter(({ path }) => !fields.some((one) => one.name === path[0]));
    },
  };
}

function field(name, label, value, hint, set, more = {}) {
  const id = freshId("option");
  const control = h("input", { id, type: "text", value, "aria-describedby": `${id}-hint ${id}-fault`, oninput: ({ target }) => set(target.value.trim()), ...more });
  const fault = h("span", { class: "fault", id: `${id}-fault` });
  const element = h("div", { class: "field" }, h("label", { for: id }, label), control, h("span", { class: "hint", id: `${id}-hint` }, hint), fault);
  return { name, element, showFaults: (faults) => markFault(control, fault, faults) };
}

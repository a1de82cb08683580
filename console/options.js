// What stands beside a run's input: tags, a cost limit, a callback.

import { freshId, h } from "./dom.js";

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
  return h("details", { class: "card options", open: Boolean(draft.webhook_url || draft.max_cost || draft.metadata) },
    h("summary", null, "Tags, cost limit, callback"),
    h("div", { class: "fields" },
      field("Tags", draft.metadata?.tags?.join(", ") ?? "", "Split by commas; the list of runs finds them.", setTags),
      field("Most it may cost (US$)", draft.max_cost ?? "", "The run ends before it would cost more.", (text) => set("max_cost", text), { inputmode: "decimal" }),
      field("Callback address", draft.webhook_url ?? "", "Told, signed, when the run ends.", (text) => set("webhook_url", text), { type: "url", placeholder: "https://…" })));
}

function field(label, value, hint, set, more = {}) {
  const id = freshId("option");
  return h("div", { class: "field" }, h("label", { for: id }, label),
    h("input", { id, type: "text", value, "aria-describedby": `${id}-hint`, oninput: ({ target }) => set(target.value.trim()), ...more }),
    h("span", { class: "hint", id: `${id}-hint` }, hint));
}

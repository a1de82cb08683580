// Caller keys: made here, shown once, replaced and revoked.

import { post, remove } from "./api.js";
import { freshId, h, replace } from "./dom.js";
import { copy, isSure, problem, toast } from "./notices.js";
import { date } from "./words.js";

const SCOPES = ["chains:run", "chains:read", "runs:cancel", "admin"];

export function keysPart(keys, again) {
  const said = h("div", { role: "status" });
  return [h("details", null, h("summary", null, "Make a key"), form(said, again)), said, table(keys, again)];
}

function form(said, again) {
  const ids = { caller: freshId("caller"), name: freshId("name") };
  async function submit(event) {
    event.preventDefault();
    const data = new FormData(event.target);
    const button = event.target.querySelector("button");
    button.disabled = true;
    try {
      const made = await post("/api/v1/keys", { caller: data.get("caller"), name: data.get("name") || undefined, scopes: data.getAll("scopes") });
      replace(said, madeKey(made.key, again));
    } catch (error) {
      replace(said, problem(error));
    } finally {
      button.disabled = false;
    }
  }
  return h("form", { class: "fields", onsubmit: submit },
    h("div", { class: "field" }, h("label", { for: ids.caller }, "Caller"), h("input", { id: ids.caller, name: "caller", required: true, placeholder: "shop" })),
    h("div", { class: "field" }, h("label", { for: ids.name }, "Name (may be left out)"), h("input", { id: ids.name, name: "name" })),
    h("fieldset", { class: "scopes" }, h("legend", null, "May"), SCOPES.map((scope) =>
      h("label", null, h("input", { type: "checkbox", name: "scopes", value: scope, checked: scope !== "admin" }), ` ${scope}`))),
    h("button", { class: "primary", type: "submit" }, "Make the key"));
}

const madeKey = (key, again) => h("div", { class: "card made" },
  h("p", null, h("strong", null, "The key, shown this once: "), h("code", null, key)),
  h("div", { class: "actions" }, h("button", { type: "button", onclick: () => copy(key, "Key") }, "Copy"), h("button", { type: "button", onclick: again }, "I have it")));

function table(keys, again) {
  if (keys.length === 0) return h("p", { class: "quiet" }, "No key has been made here. Keys of the environment are not listed.");
  const revoke = async (button, id) => {
    if (!isSure(button, "Revoke for good?")) return;
    try {
      await remove(`/api/v1/keys/${id}`);
      toast("The key is revoked; every process refuses it within five seconds.");
      again();
    } catch (error) {
      button.after(problem(error));
    }
  };
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Caller keys" }, h("table", null,
    h("thead", null, h("tr", null, ["Caller", "Name", "Key", "May", "Last used", ""].map((name) => h("th", { scope: "col" }, name || h("span", { class: "offscreen" }, "Actions"))))),
    h("tbody", null, keys.map((one) => h("tr", { class: one.revoked_at ? "over" : null },
      h("td", null, one.caller), h("td", null, one.name ?? "–"), h("td", null, h("code", null, one.prefix ? `${one.prefix}…` : one.id.slice(0, 8))),
      h("td", null, one.scopes.join(", ")), h("td", null, one.last_used_at ? date(one.last_used_at) : "never"),
      h("td", null, one.revoked_at ? `revoked ${date(one.revoked_at)}` : h("button", { type: "button", class: "danger", onclick: ({ target }) => revoke(target, one.id) }, "Revoke")))))));
}

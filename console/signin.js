// Signing in: the caller's key, tried once, and kept for this tab alone.

import { get, key } from "./api.js";
import { h, replace } from "./dom.js";
import { problem } from "./notices.js";

export function signIn(place, failure, done) {
  const field = h("input", {
    id: "key", type: "password", autocomplete: "off", spellcheck: "false", required: true, placeholder: "bchn_…",
    "aria-describedby": "key-note",
  });
  const said = h("div", null, failure && problem(failure));
  const button = h("button", { class: "primary", type: "submit" }, "Sign in");
  const form = h("form", { class: "signin card", onsubmit: submit },
    h("h1", null, "Sign in"),
    h("label", { for: "key" }, "Caller key"),
    field,
    h("p", { class: "quiet", id: "key-note" },
      "One of the deployment's keys: BABYCHAIN_API_KEY, or one made on the Operations page. It stays in this tab and is forgotten when you close it."),
    button, said);

  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    key.set(field.value.trim());
    try {
      done(await get("/api/v1/console"));
    } catch (error) {
      if (error.status !== 401) { key.forget(); replace(said, problem(error)); }
    } finally {
      button.disabled = false;
    }
  }
  replace(place, form);
  field.focus();
}

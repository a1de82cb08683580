// The same request in other people's languages.

import { h, replace } from "./dom.js";
import { copy } from "./notices.js";
import { freshKey } from "./starts.js";

const LANGUAGES = { curl, Python: python, "Node.js": node, JSON: json };

export function request(slug, body, kind = "curl") {
  return LANGUAGES[kind](`${location.origin}/api/v1/chains/${slug}/runs`, body);
}

// Tabs with one code block. `now()` says what to show: slug and body.
export function codePanel(now, id) {
  let chosen = "curl";
  const code = h("code", null);
  const block = h("pre", { tabindex: "0", "aria-label": "The request", id }, code);
  const tabs = Object.keys(LANGUAGES).map((name) =>
    h("button", { type: "button", "aria-pressed": String(name === chosen), onclick: () => choose(name) }, name));
  const update = () => replace(code, request(...now(), chosen));
  function choose(name) {
    chosen = name;
    tabs.forEach((tab) => tab.setAttribute("aria-pressed", String(tab.textContent === name)));
    update();
  }
  const button = h("button", { type: "button", class: "copy", onclick: () => copy(code.textContent, chosen) }, "Copy");
  update();
  const element = h("div", { class: "code" },
    h("div", { class: "tabs", role: "group", "aria-label": "Language" }, tabs, button), block);
  return { element, update };
}

function curl(url, body) {
  return [
    `curl ${url} \\`,
    `  -H "Authorization: Bearer $BABYCHAIN_API_KEY" \\`,
    `  -H "Content-Type: application/json" \\`,
    // Written out: not every shell has uuidgen, and the same command twice shall make one run.
    `  -H "Idempotency-Key: ${freshKey()}" \\`,
    `  -d ${quoted(json(url, body))}`,
  ].join("\n");
}

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

function json(_url, body) {
  return JSON.stringify(body, null, 2);
}

function python(url, body) {
  return [
    "import os, uuid, httpx",
    "",
    "run = httpx.post(",
    `    ${JSON.stringify(url)},`,
    '    headers={"Authorization": f"Bearer {os.environ[\'BABYCHAIN_API_KEY\']}", "Idempotency-Key": str(uuid.uuid4())},',
    `    json=${pythonic(body, 1)},`,
    ").raise_for_status().json()",
    'print(run["id"], run["status"])',
  ].join("\n");
}

function pythonic(value, depth) {
  if (value === true) return "True";
  if (value === false) return "False";
  if (value === null) return "None";
  if (typeof value !== "object") return JSON.stringify(value);
  const pad = "    ".repeat(depth + 1);
  const end = "    ".repeat(depth);
  const items = Array.isArray(value)
    ? value.map((item) => pythonic(item, depth + 1))
    : Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${pythonic(item, depth + 1)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return items.length ? `${open}\n${items.map((item) => `${pad}${item},`).join("\n")}\n${end}${close}` : open + close;
}

function node(url, body) {
  return [
    `const answer = await fetch(${JSON.stringify(url)}, {`,
    '  method: "POST",',
    "  headers: {",
    "    Authorization: `Bearer ${process.env.BABYCHAIN_API_KEY}`,",
    '    "Content-Type": "application/json",',
    '    "Idempotency-Key": crypto.randomUUID(),',
    "  },",
    `  body: JSON.stringify(${json(url, body).replaceAll("\n", "\n  ")}),`,
    "});",
    "if (!answer.ok) throw new Error(await answer.text());",
    "const run = await answer.json();",
    "console.log(run.id, run.status);",
  ].join("\n");
}

// The list of runs: live, filtered by what stands in the address, searched, and stopped many at once.

import { get, once } from "./api.js";
import { bulkBar } from "./bulk.js";
import { freshId, h, replace } from "./dom.js";
import { empty, loading, problem } from "./notices.js";
import { every } from "./repeat.js";
import { go, keepQuery } from "./router.js";
import { runRow } from "./run_row.js";
import { clock } from "./words.js";

const FILTERS = ["status", "template", "model", "tag", "metadata", "q"];
const STATUSES = ["queued", "running", "succeeded", "failed", "canceled"];
const PAGE = 50;
// So many a search finds at most.
const FOUND = 100;
const PAUSE = 3000;
const LOOKS = 20;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export async function runs(page, { query, facts, signal }) {
  const [templates, models] = await Promise.all([once("/api/v1/chains"), once("/api/v1/models")]);
  const filters = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""]));
  const list = runList(filters, signal);
  const bulk = bulkBar(list, filters, facts);
  const changed = () => {
    keepQuery("/runs", new URLSearchParams(Object.entries(filters).filter(([, value]) => value)));
    list.read();
    bulk.draw();
  };
  replace(page, h("h1", null, "Runs"), filterForm(filters, templates.data, models.data, changed), bulk.element, list.element);
  list.onChosen = bulk.draw;
  bulk.draw();
  await list.read();
  every(PAUSE, signal, list.refresh);
}

function filterForm(filters, templates, models, changed) {
  const apply = (event) => { event.preventDefault(); if (take(search.value.trim(), filters)) changed(); };
  // An emptied box searches for nothing more, and needs no button to say so.
  const emptied = (event) => { if (search.value === "" && searched(filters)) apply(event); };
  const search = h("input", { id: "search", type: "search", value: searched(filters), placeholder: "Id, prompt, tag:name or key=value",
    "aria-describedby": "search-note", oninput: emptied });
  const select = (name, label, values) => {
    const id = freshId(name);
    return h("div", { class: "field" }, h("label", { for: id }, label),
      h("select", { id, onchange: ({ target }) => { filters[name] = target.value; changed(); } },
        h("option", { value: "" }, "all"), values.map((value) => h("option", { value, selected: filters[name] === value }, value))));
  };
  return h("form", { class: "card fields filters", role: "search", onsubmit: apply },
    h("div", { class: "field grow" }, h("label", { for: "search" }, "Search"), search,
      h("span", { class: "hint", id: "search-note" }, "Prompt text is searched in ended runs.")),
    select("status", "Status", STATUSES),
    select("template", "Chain", templates.map(({ slug }) => slug)),
    select("model", "Model", models.map(({ id }) => id)),
    h("button", { type: "submit" }, "Search"));
}

const searched = ({ q, tag, metadata }) => q || (tag && `tag:${tag}`) || metadata;

// False where the words were an id, and led to its run.
function take(words, filters) {
  if (UUID.test(words)) {
    go(`/runs/${words.toLowerCase()}`);
    return false;
  }
  Object.assign(filters, { q: "", tag: "", metadata: "" });
  if (words.startsWith("tag:")) filters.tag = words.slice(4).trim();
  else if (/^[^\s=]+=\S+$/.test(words)) filters.metadata = words;
  else filters.q = words;
  return true;
}

function runList(filters, signal) {
  const body = h("ul", { class: "runs" });
  const more = h("div", { class: "row center" });
  const said = h("div", { role: "status" });
  const old = h("div", { role: "status" });
  const element = h("div", null, old, said, body, more);
  const list = { element, read, refresh, chosen: new Set(), rows: new Map(), onChosen: () => {} };
  let cursor = null;
  let reading = 0;
  let readAt = null;

  const address = (after) => {
    if (filters.q) return `/api/v1/chains/runs/search?${new URLSearchParams({ words: filters.q, limit: FOUND })}`;
    const asked = new URLSearchParams({ limit: PAGE });
    for (const name of FILTERS) if (name !== "q" && filters[name]) asked.append(name, filters[name]);
    if (after) asked.set("cursor", after);
    return `/api/v1/chains/runs?${asked}`;
  };

  async function read() {
    const mine = ++reading;
    list.chosen.clear();
    replace(said, loading("runs"));
    try {
      const answer = await get(address(), { signal });
      if (mine !== reading) return;
      list.rows.clear();
      replace(body);
      replace(said);
      fresh();
      show(answer);
      if (list.rows.size === 0 && !answer.has_more) replace(said, nothing());
    } catch (error) {
      if (!signal.aborted && mine === reading) replace(said, problem(error, read));
    }
  }

  function show(answer) {
    for (const run of answer.data.filter(matches)) body.append(put(run));
    setMore(answer);
    list.onChosen();
  }

  // The search knows no other filter, so what it found is filtered here.
  const matches = (run) => !filters.q || (hasStatus(run) && (!filters.template || run.chain_slug === filters.template)
    && (!filters.model || run.steps.some((step) => [step.model_identifier, step.served_by?.model].includes(filters.model))));
  const hasStatus = (run) => !filters.status || run.status === filters.status;

  function put(run) {
    if (list.rows.has(run.id)) list.rows.get(run.id).update(run);
    else list.rows.set(run.id, runRow(run, list));
    return list.rows.get(run.id).element;
  }

  function setMore(answer) {
    cursor = answer.next_cursor;
    replace(more, answer.has_more && h("button", { type: "button", onclick: load }, "Show more"),
      filters.q && answer.data.length === FOUND && h("p", { class: "quiet" }, `Older runs than the newest ${FOUND} with these words are not looked through: name more of their words.`));
  }

  async function load() {
    replace(more, loading("more"));
    try {
      show(await get(address(cursor), { signal }));
    } catch (error) {
      if (!signal.aborted) replace(more, problem(error, load));
    }
  }

  // New runs come on top, known ones change where they stand: nothing jumps under the reader's pointer.
  async function refresh() {
    if (filters.q || reading === 0) return;
    const mine = reading;
    try {
      const answer = await get(address(), { signal });
      if (mine !== reading) return;
      fresh();
      const come = answer.data.filter(({ id }) => !list.rows.has(id));
      answer.data.filter(({ id }) => list.rows.has(id)).forEach(put);
      body.prepend(...come.map(put));
      if (list.rows.size > 0) replace(said);
      const listed = new Set(answer.data.map(({ id }) => id));
      const unseen = [...list.rows].filter(([id, row]) => row.live && !listed.has(id)).slice(0, LOOKS);
      await Promise.all(unseen.map(([id]) => lookAt(id, mine)));
    } catch (error) {
      // What stands here stays, and is said to be old; the next look comes in a moment.
      if (signal.aborted || mine !== reading || list.rows.size === 0) return;
      if (!old.hasChildNodes()) replace(old, h("p", { class: "warning" }, `${error.message} The list is as it was at ${clock(readAt)}; it goes on by itself.`));
    }
  }

  function fresh() {
    readAt = new Date();
    replace(old);
  }

  // A live run that the first page does not show has ended under a filter, or stands further down.
  async function lookAt(id, mine) {
    const run = await get(`/api/v1/chains/get/${id}`, { signal }).catch((error) => (error.status === 404 ? null : undefined));
    const row = list.rows.get(id);
    if (run === undefined || mine !== reading || !row) return;
    // Whoever was looked at stands last in the map: the next look takes the others first.
    list.rows.delete(id);
    if (run && hasStatus(run)) {
      list.rows.set(id, row);
      return row.update(run);
    }
    row.element.remove();
    if (list.chosen.delete(id)) list.onChosen();
    if (list.rows.size === 0 && !cursor) replace(said, nothing());
  }

  const nothing = () => Object.values(filters).some(Boolean)
    ? empty("No run fits", `${filters.q ? "Prompts are searched in ended runs alone. " : ""}Take a filter away, or search for other words.`, h("a", { class: "button", href: "#/runs", onclick: () => setTimeout(() => location.reload()) }, "Show all"))
    : empty("No runs yet", "Start one in the lab: it appears here at once.", h("a", { class: "button primary", href: "#/" }, "To the lab"));
  return list;
}

// The operator's page: workers, providers, callbacks that fail, spending, keys. Each part stands or fails alone.

import { get } from "./api.js";
import { statusPill } from "./chain_picture.js";
import { drawnOnce, h, replace } from "./dom.js";
import { keysPart } from "./keys.js";
import { loading, problem } from "./notices.js";
import { providersPart } from "./providers.js";
import { every } from "./repeat.js";
import { spendPart } from "./spend.js";
import { date, seconds } from "./words.js";

const LIVE = true;
const PAUSE = 5000;

export async function operations(page, { facts, signal }) {
  const isAdmin = facts.scopes.includes("admin");
  const parts = [
    isAdmin && part("Workers and backlog", "workers", () => get("/api/v1/admin/workers", { signal }), workers, LIVE),
    part("Providers", "providers", () => get("/api/v1/providers", { signal }), (answer, again) => providersPart(answer.data, isAdmin, again), LIVE),
    part("Spend", "spend", () => get("/api/v1/spend?by=day", { signal }), (answer) => spendPart(answer, isAdmin, signal)),
    isAdmin && part("Callbacks that do not arrive", "callbacks", () => get("/api/v1/admin/deliveries", { signal }), (answer) => failing(answer.data), LIVE),
    isAdmin && part("Keys", "keys", () => get("/api/v1/keys", { signal }), (answer, again) => keysPart(answer.data, again)),
  ].filter(Boolean);
  replace(page, h("h1", null, "Operations"),
    !isAdmin && h("p", { class: "quiet" }, "Workers, callbacks and keys need a key with the scope admin."),
    parts.map(({ element }) => element));
  await Promise.all(parts.map(({ read }) => read()));
  // An operator watches here while something is wrong: what is live is read anew.
  every(PAUSE, signal, () => parts.filter((one) => one.isLive).forEach(({ read }) => read()));

  function part(title, what, ask, body, isLive) {
    const place = h("div", null, loading(what));
    const draw = drawnOnce(place, ({ answer, error }) => {
      if (error) return problem(error, again);
      return answer ? body(answer, again) : loading(what);
    });
    async function read() {
      try {
        draw({ answer: await ask() });
      } catch (error) {
        // Without its request's id an error that lasts stays the same, and is said once.
        if (!signal.aborted) draw({ error: { ...error, message: error.message, requestId: null } });
      }
    }
    // Whoever has changed something sees the part anew, even where its answer is the same.
    function again() {
      draw({});
      return read();
    }
    return { element: h("section", { class: "card", "aria-label": title, "data-part": what }, h("h2", null, title), place), read, isLive };
  }
}

function workers(answer) {
  if (answer.temporal !== "ok") return h("p", { class: "warning" }, "Temporal does not answer. Start it, and check TEMPORAL_ADDRESS.");
  const alive = answer.workers.filter((one) => one.alive);
  return [
    alive.length === 0 && h("p", { class: "warning" }, "No worker is running: runs wait. Start one with ", h("code", null, "babychain serve worker"), "."),
    h("dl", { class: "figures" },
      figure("Workers", alive.length), figure("Workflow tasks waiting", answer.backlog.workflow_tasks.waiting),
      figure("Activities waiting", answer.backlog.activities.waiting),
      figure("Longest wait", seconds(Math.max(answer.backlog.workflow_tasks.longest_wait_seconds, answer.backlog.activities.longest_wait_seconds)))),
    answer.workers.length > 0 && h("ul", { class: "plainlist" }, answer.workers.map((one) => h("li", { class: "row" },
      h("code", null, one.identity), h("span", { class: "quiet small" }, one.alive ? `asked ${date(one.last_asked_at)}` : `gone since ${date(one.last_asked_at)}`)))),
    h("p", { class: "quiet small" }, "Task queue ", h("code", null, answer.task_queue)),
  ];
}

const figure = (name, value) => h("div", null, h("dt", null, name), h("dd", null, value));

function failing(rows) {
  if (rows.length === 0) return h("p", { class: "quiet" }, "All callbacks of the last seven days arrived.");
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Failing callbacks" }, h("table", null,
    h("thead", null, h("tr", null, ["Run", "Receiver", "State", "Attempts", "Last", "Answer", "Next"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", null, rows.map((one) => h("tr", null,
      h("td", null, h("a", { href: `#/runs/${one.run_id}` }, one.run_id.slice(0, 8))), h("td", { class: "address" }, one.url),
      h("td", null, statusPill(one.status)), h("td", null, one.attempts), h("td", null, date(one.last_attempt_at)),
      h("td", null, one.http_status ? `HTTP ${one.http_status}` : one.error ?? "–"),
      h("td", null, one.next_attempt_at ? date(one.next_attempt_at) : "none"))))));
}

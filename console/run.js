// One run, live: what it does, why it waits or failed, what it made, and what to do next.

import { get, post, remove } from "./api.js";
import { runPicture, statusPill, tickPicture } from "./chain_picture.js";
import { request } from "./copy.js";
import { deliveriesPart } from "./deliveries.js";
import { drawnOnce, entitle, h, replace } from "./dom.js";
import { follow } from "./events.js";
import { leftOut } from "./left_out.js";
import { copy, isSure, loading, problem, readiness, toast, withCode } from "./notices.js";
import { go } from "./router.js";
import { retryButton } from "./retry.js";
import { stepParts } from "./run_steps.js";
import { tickTimeline, timeline } from "./timeline.js";
import { between, capital, date, dollars, ended, isSome, money, paid, seconds, spaced } from "./words.js";

export async function run(page, { params, facts, signal }) {
  replace(page, loading("the run"));
  const id = encodeURIComponent(params.id);
  const seen = { run: await get(`/api/v1/chains/get/${id}`, { signal }), history: [], told: null, connection: "live" };
  const parts = layout(page, seen, facts, signal);
  parts.draw();
  follow(id, {
    signal,
    onState: (state, error) => { seen.connection = state; seen.refusal = error?.message; parts.draw(); },
    onEvent: (name, data) => {
      if (name === "run") take(seen, data);
      else if (name === "waiting") parts.wait(data);
      else if (name === "end") parts.onEnd();
      parts.draw();
    },
  });
  const ticking = setInterval(() => parts.tick(), 1000);
  signal.addEventListener("abort", () => clearInterval(ticking));
}

// A stream tells every state from the first on; the page has read a later one already and does not go back.
function take(seen, data) {
  seen.history.push(data);
  if (new Date(data.updated_at) < new Date(seen.run.updated_at)) return;
  const { input, metadata, retried_by, expected, waiting_on: waiting } = seen.run;
  seen.run = { ...data, input, metadata, retried_by, ...(ended(data.status) ? {} : { expected, waiting_on: waiting }) };
}

function layout(page, seen, facts, signal) {
  const place = () => h("div");
  const [head, notice, why, picture, steps, times, costs, calls, raw] = Array.from({ length: 9 }, place);
  raw.setAttribute("class", "code");
  const clock = h("span", { class: "elapsed" });
  const ready = readiness(signal);
  replace(page, ready.element, head, h("p", { class: "facts" }, clock, costs), notice, why, picture, steps,
    h("div", { class: "two" }, times, calls),
    h("details", { class: "card" }, h("summary", null, "The run as JSON"), raw));
  const draws = [
    [drawnOnce(head, (shown) => header(shown, facts)), ({ run, told }) =>
      ({ ...pick(run, "id", "status", "chain_slug", "input", "metadata", "max_cost", "retry_of", "retried_by"), lacks: leftOut(run, told) })],
    [drawnOnce(notice, waiting), ({ run, connection, refusal }) =>
      ({ who: run.waiting_on?.who, on: run.waiting_on?.message, check: run.waiting_on?.next_check, live: !ended(run.status), connection, refusal, warnings: run.warnings })],
    [drawnOnce(why, (run) => failure(run, facts)), ({ run }) => pick(run, "id", "status", "error", "steps")],
    [drawnOnce(picture, (run) => runPicture(run.steps, new Date())), ({ run }) => ({ steps: run.steps })],
    [stepParts(steps, facts.scopes.includes("chains:run")), ({ run }) => run],
    [drawnOnce(times, (shown) => timeline(shown)), ({ run, history, told }) => ({ run: pick(run, "steps", "created_at", "status", "updated_at"), history, told })],
    [drawnOnce(costs, cost), ({ run }) => pick(run, "estimate", "max_cost", "cost", "saved", "status")],
    [drawnOnce(raw, json), ({ run }) => run],
  ];
  const tick = () => { replace(clock, elapsed(seen.run)); tickPicture(picture); tickTimeline(times, seen); };
  const parts = {
    tick,
    draw: () => { entitle(seen.run.status, seen.run.chain_slug); for (const [draw, shown] of draws) draw(shown(seen)); tick(); },
    onEnd: () => deliveries.soon(),
    wait: ({ waiting_on: waitingOn, expected }) => {
      if (waitingOn?.who === "worker") ready.ask();
      seen.run = { ...seen.run, waiting_on: waitingOn, expected };
    },
  };
  const deliveries = deliveriesPart(calls, seen.run.id, { signal, mayResend: facts.scopes.includes("chains:run") }, (told) => { seen.told = told; parts.draw(); });
  return parts;
}

const pick = (object, ...names) => Object.fromEntries(names.map((name) => [name, object[name]]));

function elapsed(run) {
  const end = ended(run.status) ? run.updated_at : new Date();
  const took = seconds(Math.max(0, between(run.created_at, end)));
  if (ended(run.status)) return `Took ${took} · created ${date(run.created_at)}`;
  const { expected } = run;
  return `${took} so far${expected ? ` · usually ${seconds(expected.p50_seconds)} more, nine in ten within ${seconds(expected.p90_seconds)}` : ""}`;
}

function json(run) {
  const text = JSON.stringify(run, null, 2);
  return [
    h("div", { class: "tabs" }, h("button", { type: "button", class: "copy", onclick: () => copy(text, "JSON") }, "Copy")),
    h("pre", { tabindex: "0", "aria-label": "The run as JSON" }, text),
  ];
}

function cost(run) {
  const spent = paid(run);
  return h("span", null, ` · estimated ${money(run.estimate)}`, run.max_cost && `, limit ${dollars(run.max_cost.amount)}`,
    spent && [ended(run.status) ? " · actual " : " · spent ", h("strong", null, spent.total), spent.wasted && `, ${spent.wasted} of it wasted`],
    run.saved && isSome(run.saved) && ` · saved ${money(run.saved)} by taking over earlier steps`);
}

function header(run, facts) {
  const body = { input: run.input, metadata: run.metadata, max_cost: run.max_cost?.amount };
  const tags = run.metadata?.tags ?? [];
  return h("div", { class: "head" },
    h("div", { class: "title" },
      h("h1", null, run.chain_slug, " ", statusPill(run.status)),
      h("p", { class: "id" }, h("code", null, run.id),
        run.retry_of && [" retry of ", h("a", { href: `#/runs/${run.retry_of.run_id}` }, "an earlier run")],
        run.retried_by?.length > 0 && [" retried by ", h("a", { href: `#/runs/${run.retried_by.at(-1)}` }, "a later run")],
        Array.isArray(tags) && tags.map((tag) => h("a", { class: "tag", dir: "auto", href: `#/runs?tag=${encodeURIComponent(tag)}` }, String(tag))))),
    h("div", { class: "actions" },
      h("button", { type: "button", onclick: () => copy(request(run.chain_slug, body), "curl", run.lacks) }, "Copy as curl"),
      facts.scopes.includes("chains:run") && h("a", { class: "button", href: `#/?from=${run.id}` }, "Run again with edits"),
      h("a", { class: "button", href: `#/compare?a=${run.id}` }, "Compare"),
      facts.temporal_ui && h("a", { class: "button", href: `${facts.temporal_ui}/workflows/${run.id}`, rel: "noreferrer", target: "_blank" }, "Temporal ↗"),
      ended(run.status)
        ? facts.scopes.includes("chains:run") && h("button", { type: "button", class: "danger", onclick: (event) => deleted(event.target, run.id) }, "Delete")
        : facts.scopes.includes("runs:cancel") && h("button", { type: "button", class: "danger", onclick: (event) => canceled(event.target, run.id) }, "Cancel")));
}

async function canceled(button, id) {
  button.disabled = true;
  try {
    await post(`/api/v1/chains/cancel/${id}`);
    toast("The run is being stopped.");
  } catch (error) {
    button.disabled = false;
    button.after(problem(error));
  }
}

async function deleted(button, id) {
  if (!isSure(button, "Delete for good?")) return;
  try {
    await remove(`/api/v1/chains/runs/${id}`);
    toast("The run is deleted.");
    go("/runs");
  } catch (error) {
    button.after(problem(error));
  }
}

function waiting({ who, on, check, live, connection, refusal, warnings }) {
  return [
    warnings?.map((text) => h("p", { class: "warning small" }, text)),
    connection === "lost" && h("p", { class: "warning" }, "The live stream broke off; taking it up again…"),
    connection === "refused" && h("p", { class: "warning" }, `This page is not live: ${refusal} Reload it to see the run as it is now.`),
    live && on && h("p", { class: "waiting", "data-who": who }, h("span", { class: "pulse", "aria-hidden": "true" }), h("span", null, withCode(on),
      check && h("span", { class: "quiet" }, ` Next look ${date(check)}.`))),
  ];
}

// What the same request would meet again: its remedy is another request.
const NEEDS_EDITS = ["provider_content_moderated", "provider_invalid_request", "chain_step_params_failed", "max_cost_exceeded", "start_outcome_unknown"];
const needsEdits = (code) => NEEDS_EDITS.includes(code) || code?.startsWith("invalid_");

// From a failed run to its cause and remedy without leaving the screen.
function failure(run, facts) {
  if (run.status !== "failed" && run.status !== "canceled") return null;
  const step = run.steps.find(({ status }) => status === "failed" || status === "canceled");
  const error = run.error ?? step?.error;
  const mayRun = facts.scopes.includes("chains:run");
  const again = step && mayRun && retryButton(run.id, step, `Retry from ${spaced(step.step_key)}`, needsEdits(error?.code) ? null : "primary");
  const edits = mayRun && h("a", { class: `button${needsEdits(error?.code) ? " primary" : ""}`, href: `#/?from=${run.id}` }, "Run again with edits");
  return h("section", { class: `card why is-${run.status}`, "aria-label": "What happened" },
    h("h2", null, step ? `${capital(spaced(step.step_key))} ${run.status === "failed" ? "failed" : "was canceled"}` : `The run ${run.status === "failed" ? "failed" : "was canceled"}`),
    error && h("p", { class: "cause" }, error.message, " ", h("code", null, error.code)),
    error?.guidance && h("div", { class: "remedy" }, h("p", null, h("strong", null, "What to do: "), error.guidance.summary),
      h("ul", null, error.guidance.what_to_try_next.map((text) => h("li", null, withCode(text))))),
    h("div", { class: "actions" }, needsEdits(error?.code) ? [edits, again] : [again, edits]));
}

// When what happened: a bar for each attempt, and every moment in words.

import { h, replace } from "./dom.js";
import { between, capital, clock, ended, seconds, spaced } from "./words.js";

const LEGEND = [["submitting", "in line, or being submitted"], ["busy", "under way, or canceled"], ["useful", "succeeded"], ["wasted", "failed"]];

export function timeline({ run, history, told }) {
  const accepted = acceptedTimes(history);
  return h("section", { class: "card", "aria-label": "Timeline" }, h("h2", null, "Timeline"),
    h("div", { class: "bars", "aria-hidden": "true" }, bars(run, accepted)),
    run.steps.some((step) => step.attempts) && h("p", { class: "quiet small", "aria-hidden": "true" },
      LEGEND.map(([kind, text]) => [h("span", { class: `swatch ${kind}` }), `${text} `])),
    h("ol", { class: "moments" }, moments(run, accepted, told).map(([moment, text]) =>
      h("li", null, h("time", { datetime: moment }, clock(moment)),
        h("span", { class: "quiet small" }, `+${seconds(Math.max(0, between(run.created_at, moment)))}`), h("span", null, text)))));
}

// What is under way grows while nothing else happens.
export function tickTimeline(place, { run, history }) {
  const drawn = place.querySelector(".bars");
  if (drawn && !ended(run.status)) replace(drawn, bars(run, acceptedTimes(history)));
}

function bars(run, accepted) {
  const end = ended(run.status) ? new Date(run.updated_at) : new Date();
  const whole = Math.max(0.001, between(run.created_at, end));
  return run.steps.flatMap((step) => (step.attempts ?? []).map((one) => bar(run, step, one, accepted, whole, end)));
}

// When each attempt's job was accepted stands in no field: it is the first state that shows it running.
function acceptedTimes(history) {
  const times = new Map();
  for (const state of history) {
    for (const step of state.steps) {
      for (const one of step.attempts ?? []) {
        const name = `${step.step_key}.${one.number}`;
        if (one.outcome === "running" && !times.has(name)) times.set(name, state.updated_at);
      }
    }
  }
  return times;
}

function bar(run, step, one, accepted, whole, end) {
  const at = (moment) => `${Math.min(100, Math.max(0, (between(run.created_at, moment) / whole) * 100))}%`;
  const begun = accepted.get(`${step.step_key}.${one.number}`);
  const over = one.completed_at ?? end;
  const piece = (from, to, kind) => {
    const element = h("span", { class: `piece ${kind}` });
    element.style.setProperty("left", at(from));
    element.style.setProperty("right", `calc(100% - ${at(to)})`);
    return element;
  };
  return h("div", { class: "bar" }, h("span", { class: "name" }, `${spaced(step.step_key)}${one.number > 1 ? ` #${one.number}` : ""}`),
    h("span", { class: "track" }, begun && piece(one.started_at, begun, "submitting"), piece(begun ?? one.started_at, over, one.outcome === "submitting" ? "submitting" : `working is-${one.outcome}`)));
}

function moments(run, accepted, told) {
  const found = [[run.created_at, "Queued"]];
  for (const step of run.steps) {
    const name = capital(spaced(step.step_key));
    for (const one of step.attempts ?? []) {
      const begun = accepted.get(`${step.step_key}.${one.number}`);
      found.push([one.started_at, `${name}: ${one.outcome === "submitting" ? "to be " : ""}submitted to ${one.provider}`]);
      if (begun) found.push([begun, `${name}: accepted, ${one.provider} works`]);
      if (one.completed_at) found.push([one.completed_at, `${name}: ${said(one)}`]);
    }
  }
  if (ended(run.status)) found.push([run.updated_at, `Run ${run.status}`]);
  for (const delivery of told ?? []) {
    for (const one of delivery.attempts) found.push([one.sent_at, `Callback ${one.outcome}${one.http_status ? ` (HTTP ${one.http_status})` : ""}`]);
  }
  return found.sort(([a], [b]) => new Date(a) - new Date(b));
}

const said = (one) => (one.outcome === "succeeded" ? "output checked and stored" : `${one.outcome}${one.error ? ` (${one.error.code})` : ""}`);

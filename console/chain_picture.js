// A chain as a picture: its steps in a row, each with what it makes, its state, and an arrow to the next.

import { h } from "./dom.js";
import { thumbnail } from "./thumbnails.js";
import { between, capital, money, seconds, spaced } from "./words.js";

const SIGNS = { queued: "○", running: "◐", succeeded: "✓", delivered: "✓", failed: "✕", canceled: "⊘", skipped: "–" };

export function statusPill(status) {
  return h("span", { class: `pill is-${status}` }, h("span", { "aria-hidden": "true" }, SIGNS[status] ?? "○"), ` ${status}`);
}

// Of a template: small, only what each step makes.
export function templatePicture(template) {
  return h("span", { class: "mini", "aria-hidden": "true" },
    template.steps.map((step, index) => [
      index > 0 && h("span", { class: "arrow" }, "→"),
      h("span", { class: `node kind-${step.kind}` }, glyph(step.kind)),
    ]));
}

// Of a run: one card a step, which leads to the step's own part of the page.
export function runPicture(steps, now) {
  return h("ol", { class: "chain", "aria-label": "The chain" }, steps.map((step) =>
    h("li", { class: `step is-${step.status}`, "data-step": step.step_key, "data-status": step.status },
      h("a", { href: `#step-${step.step_key}`, onclick: (event) => { event.preventDefault(); reveal(step.step_key); } },
        h("span", { class: "frame" }, step.generation_output_file
          ? thumbnail(step.generation_output_file[0], capital(spaced(step.step_key)))
          : h("span", { class: `glyph kind-${step.step_kind}`, "aria-hidden": "true" }, glyph(step.step_kind))),
        h("span", { class: "text" },
          h("strong", null, capital(spaced(step.step_key))),
          h("span", { class: "model" }, step.served_by?.model ?? step.attempts?.at(-1)?.model ?? step.model_identifier),
          h("span", { class: "row" }, statusPill(step.status), took(step, now)))))));
}

function took(step, now) {
  if (step.status === "skipped") return null;
  if (step.reused) return h("span", { class: "quiet small" }, "taken over");
  const text = step.started_at ? seconds(Math.max(0, between(step.started_at, step.completed_at ?? now))) : money(step.estimate);
  return h("span", { class: "quiet small", "data-since": step.completed_at ? null : step.started_at }, text);
}

// The time of a running step goes on between two of its states.
export function tickPicture(place) {
  for (const element of place.querySelectorAll("[data-since]")) {
    element.textContent = seconds(Math.max(0, between(element.dataset.since, new Date())));
  }
}

function reveal(key) {
  const part = document.getElementById(`step-${key}`);
  part?.scrollIntoView({ behavior: "smooth", block: "start" });
  part?.focus({ preventScroll: true });
}

const glyph = (kind) => (kind === "video" ? "▶" : "▣");

// What the request would cost, asked for again when something changed that may change it.

import { post } from "./api.js";
import { h, replace } from "./dom.js";
import { problem } from "./notices.js";
import { money, spaced } from "./words.js";

const PAUSE = 500;

// `missing` says in words what has to be there first, or nothing; `onTotal` is told the amount, or null.
export function estimatePanel(template, bodyOf, { missing, showFaults, onTotal, signal }) {
  const place = h("div", { class: "estimate", role: "status", "aria-live": "polite" }, h("p", { class: "quiet" }, "Estimating…"));
  let timer = null;
  let asked = 0;

  async function now() {
    const mine = ++asked;
    const lacking = missing();
    if (lacking) {
      onTotal(null);
      replace(place, total("–"), h("p", { class: "quiet" }, lacking));
      return;
    }
    try {
      const shown = await post(`/api/v1/chains/${template.slug}/estimate`, bodyOf(), { signal });
      if (mine !== asked) return;
      showFaults([]);
      onTotal(money(shown.estimate));
      replace(place, drawn(shown));
    } catch (error) {
      if (signal.aborted || mine !== asked || error.status === 401) return;
      onTotal(null);
      const left = showFaults(error.faults ?? []);
      replace(place, error.faults?.length > 0 ? refused(error, left) : problem(error, now));
    }
  }
  const soon = () => { clearTimeout(timer); timer = setTimeout(now, PAUSE); };
  signal.addEventListener("abort", () => clearTimeout(timer));
  return { element: place, now, soon };
}

const total = (amount) => h("p", { class: "total" }, h("span", { class: "quiet" }, "Estimate"), h("strong", { "data-total": true }, amount));

function drawn(shown) {
  return [
    total(money(shown.estimate)),
    h("ul", { class: "plan" }, shown.steps.map((step) => step.candidates.map((candidate, index) => h("li", null,
      h("span", { class: "row" },
        h("span", null, index === 0 ? spaced(step.step_key) : "or, if it fails"),
        h("span", null, money(candidate.estimate))),
      h("span", { class: "quiet small" }, candidate.model,
        candidate.price_source && `, price of ${candidate.price_source.read_on ?? candidate.price_source.as_of}`),
      candidate.not_told && h("span", { class: "small lost" }, `Can't be told: ${candidate.not_told.join(", ")}.`))))),
    shown.warnings?.map((text) => h("p", { class: "warning small" }, text)),
  ];
}

function refused(error, left) {
  const count = error.faults.length;
  return [
    total("–"),
    h("p", { class: "fault" }, count === 1 ? "One field needs a change." : `${count} fields need a change.`),
    left.length > 0 && h("ul", { class: "faults" }, left.map(({ path, message }) => h("li", null, h("code", null, path.slice(1).join(".") || path.join(".")), ` ${message}`))),
  ];
}

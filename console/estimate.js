// What the request would cost, asked for again when something changed that may change it.

import { post } from "./api.js";
import { h, replace } from "./dom.js";
import { problem } from "./notices.js";
import { dollars, money, spaced } from "./words.js";

const PAUSE = 500;
const AWAY = 5000;

// `missing` says in words what has to be there first, or nothing; `onPlan` is told what would be done, and for how much.
export function estimatePanel(template, bodyOf, { missing, showFaults, onPlan, signal }) {
  const place = h("div", { class: "estimate", role: "status", "aria-live": "polite" }, h("p", { class: "quiet" }, "Estimating…"));
  let timer = null;
  let asked = 0;
  let isRefused = false;

  function show(...children) {
    isRefused = false;
    replace(place, children);
  }

  async function now() {
    const mine = ++asked;
    const lacking = missing();
    if (lacking) {
      onPlan(null, null);
      return show(total("–"), h("p", { class: "quiet" }, `${lacking} to see what it costs.`));
    }
    try {
      const shown = await post(`/api/v1/chains/${template.slug}/estimate`, bodyOf(), { signal });
      if (mine !== asked) return;
      showFaults([]);
      onPlan(shown, mayCostMore(shown) ? `from ${dollars(shown.estimate.low)}` : `for ${money(shown.estimate)}`);
      show(drawn(shown));
    } catch (error) {
      if (signal.aborted || mine !== asked || error.status === 401) return;
      onPlan(null, null);
      const left = showFaults(error.faults ?? []);
      show(error.faults?.length > 0 ? [total("–"), faultsOf(error.faults, left)] : problem(error, now));
      isRefused = error.faults?.length > 0;
      // Where nobody answered, somebody may soon.
      if (error.status === 0) timer = setTimeout(now, AWAY);
    }
  }
  const soon = () => { clearTimeout(timer); isRefused = false; timer = setTimeout(now, PAUSE); };
  signal.addEventListener("abort", () => clearTimeout(timer));
  return { element: place, now, soon, isRefused: () => isRefused };
}

const total = (amount) => h("p", { class: "total" }, h("span", { class: "quiet" }, "Estimate"), h("strong", { "data-total": true }, amount));

// The sum is that of the first models: where a stand-in's price is not published, it is no upper bound.
const mayCostMore = (shown) => shown.estimate.low !== null && shown.steps.some(({ candidates }) =>
  candidates?.slice(1).some(({ estimate }) => estimate.high === null));

function drawn(shown) {
  return [
    total(money(shown.estimate)),
    mayCostMore(shown) && h("p", { class: "small lost" }, "More if a stand-in with no published price serves."),
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

// How many fields are wrong, and in words those that have no place of their own on the page.
export function faultsOf(faults, left) {
  return [
    h("p", { class: "fault" }, faults.length === 1 ? "One field needs a change." : `${faults.length} fields need a change.`),
    left.length > 0 && h("ul", { class: "faults" }, left.map(({ path, message }) => h("li", null, h("code", null, path.slice(1).join(".") || path.join(".")), ` ${message}`))),
  ];
}

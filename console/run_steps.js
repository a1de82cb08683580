// The steps of a run: input beside output, and every attempt with its reason.

import { assetId, ownAddress } from "./api.js";
import { drawnOnce, h } from "./dom.js";
import { statusPill } from "./chain_picture.js";
import { promptOf } from "./prompts.js";
import { retryButton } from "./retry.js";
import { storedPicture } from "./thumbnails.js";
import { between, capital, dollars, ended, money, SAFETY, seconds, spaced } from "./words.js";

const ON_CANCEL = {
  not_started: "On cancel: no job had been started.",
  stopped: "On cancel: the provider stopped the job.",
  not_stopped: "On cancel: the job could not be stopped, and may be billed.",
};
// So many characters stand there whole; of more a part, that scrolls.
const LONG_PROMPT = 600;

export function stepParts(place, mayRun) {
  const drawn = new Map();
  return (run) => {
    for (const step of run.steps) {
      if (!drawn.has(step.step_key)) {
        const element = h("section", { class: "card part", id: `step-${step.step_key}`, tabindex: "-1", "aria-label": capital(spaced(step.step_key)) });
        place.append(element);
        drawn.set(step.step_key, drawnOnce(element, (shown) => part(shown)));
      }
      drawn.get(step.step_key)({ step, input: run.input, id: run.id, mayRetry: mayRun && ended(run.status) });
    }
  };
}

function part({ step, input, id, mayRetry }) {
  return [
    h("div", { class: "row part-head" },
      h("h2", null, capital(spaced(step.step_key)), " ", statusPill(step.status)),
      mayRetry && step.status !== "skipped" && retryButton(id, step, "Retry from here")),
    step.error && !step.attempts?.at(-1)?.error && h("p", { class: "fault" }, step.error.message),
    h("div", { class: "two media" },
      h("div", null, h("h3", null, "Input"), inputOf(step, input),
        step.reused && h("p", { class: "quiet" }, `Taken over from the earlier run; that saved ${money(step.reused.saved)}.`),
        step.attempts && attempts(step),
        step.cancel_outcome && h("p", { class: "quiet" }, ON_CANCEL[step.cancel_outcome])),
      h("div", null, h("h3", null, "Output"), outputOf(step))),
  ];
}

function inputOf(step, input) {
  const params = Object.entries(input?.[`${step.step_key}_params`] ?? {}).filter(([name]) => !["prompt", "content"].includes(name));
  const references = params.filter(([, value]) => isPictures(value));
  const others = params.filter((one) => !references.includes(one));
  const given = step.generation_input_file ?? (step.step_index === 0 && input?.source_image_url ? [input.source_image_url] : []);
  return [
    given.length > 0 && pictures(given, "The picture this step begins with"),
    prompt(promptOf(input ?? {}, step.step_key) || "–"),
    references.length > 0 && h("div", { class: "inputs references" }, references.map(([name, value]) =>
      h("div", null, pictures([value].flat(), capital(spaced(name))), h("span", { class: "quiet small" }, name)))),
    others.length > 0 && h("dl", { class: "params" }, others.map(([name, value]) =>
      [h("dt", null, name), h("dd", null, typeof value === "object" ? JSON.stringify(value) : String(value))])),
  ];
}

// A long one scrolls in its own place, also by keyboard.
function prompt(text) {
  const scrolls = text.length > LONG_PROMPT && { tabindex: "0", role: "region", "aria-label": "Prompt" };
  return h("div", { class: "prompt", dir: "auto", ...scrolls }, text);
}

const isPictures = (value) => [value].flat().length > 0 && [value].flat().every((one) => typeof one === "string" && assetId(one));

export const pictures = (urls, alt) =>
  h("div", { class: "inputs" }, urls.map((url) => storedPicture(url, alt) ?? h("code", { class: "address" }, url)));

function outputOf(step) {
  const files = step.generation_output_file ?? [];
  if (files.length === 0) {
    const waits = step.attempts?.at(-1)?.outcome === "submitting";
    const said = { queued: "Not begun yet.", running: waits ? "Not taken by its provider yet…" : "Being made…", skipped: "Skipped: an earlier step did not succeed." };
    return h("div", { class: `nothing is-${step.status}` }, said[step.status] ?? "Nothing was made.");
  }
  return files.map((url) => media(url, step));
}

export function media(url, step, more = {}) {
  const address = ownAddress(url);
  if (!address) return h("code", { class: "address" }, url);
  const label = `Output of ${spaced(step.step_key)}`;
  const isVideo = step.step_kind === "video" && !/\.(png|jpe?g|webp)\?/.test(address);
  return h("figure", null,
    isVideo ? h("video", { src: address, controls: true, loop: true, playsinline: true, preload: "auto", "aria-label": label, ...more })
      : h("a", { href: address, target: "_blank", rel: "noreferrer" }, h("img", { src: address, alt: label })),
    h("figcaption", null, h("a", { href: address, download: "" }, "Download")));
}

function attempts(step) {
  const reasons = (one) => [
    one.error && h("span", { class: "fault" }, `${one.error.message} `, h("code", null, one.error.code)),
    one.note && h("span", null, one.note),
    one.adapted && h("span", null, `Picture adapted: ${one.adapted}`),
    one.not_told && h("span", null, `Could not be told: ${one.not_told.join(", ")}.`),
    one === step.attempts.at(-1) && one.error?.guidance && h("span", { class: "quiet" }, one.error.guidance.what_to_try_next[0]),
  ];
  return [
    h("h3", null, step.attempts.length === 1 ? "One attempt" : `${step.attempts.length} attempts`),
    h("ol", { class: "attempts" }, step.attempts.map((one) => h("li", null,
      h("span", { class: "row" }, h("strong", null, one.model), statusPill(one.outcome)),
      h("span", { class: "quiet small" }, `at ${one.provider} · `,
        h("span", { title: SAFETY[one.safety_class] }, `class ${one.safety_class}`),
        one.completed_at ? ` · ${seconds(between(one.started_at, one.completed_at))}` : one.outcome === "submitting" ? " · not taken yet" : " · under way",
        one.cost ? ` · ${dollars(one.cost.amount)}` : ""),
      reasons(one)))),
  ];
}

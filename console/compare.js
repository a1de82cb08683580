// Two runs side by side: what differs, what they cost and took, and both outputs in step.

import { get } from "./api.js";
import { statusPill } from "./chain_picture.js";
import { freshId, h, replace } from "./dom.js";
import { empty, loading, problem } from "./notices.js";
import { go } from "./router.js";
import { media, pictures } from "./run_steps.js";
import { between, capital, ended, paid, seconds, spaced } from "./words.js";

export async function compare(page, { query, signal }) {
  const [a, b] = [query.get("a") ?? "", query.get("b") ?? ""];
  const fields = [["First run", a], ["Second run", b]].map(([label, value]) => {
    const id = freshId("compare");
    return { id, element: h("div", { class: "field" }, h("label", { for: id }, label),
      h("input", { id, value, list: "recent", placeholder: "A run's id", spellcheck: "false" })) };
  });
  const chosen = () => fields.map(({ id }) => document.getElementById(id).value.trim());
  const place = h("div", { class: "stack" });
  const recent = h("datalist", { id: "recent" });
  replace(page, h("h1", null, "Compare"),
    h("form", { class: "card fields pick", onsubmit: (event) => { event.preventDefault(); const [one, two] = chosen(); go(`/compare?a=${one}&b=${two}`); } },
      fields.map(({ element }) => element), recent, h("button", { class: "primary", type: "submit" }, "Compare")), place);
  get("/api/v1/chains/runs?limit=30", { signal }).then(({ data }) => replace(recent, data.map((run) =>
    h("option", { value: run.id }, `${run.chain_slug}, ${run.status}, ${new Date(run.created_at).toLocaleString()}`)))).catch(() => {});
  if (!a || !b) return replace(place, empty("Choose two runs", "Name two runs above, or tick two in the list of runs.", h("a", { class: "button", href: "#/runs" }, "To the runs")));
  replace(place, loading("both runs"));
  try {
    const both = await Promise.all([a, b].map((id) => get(`/api/v1/chains/get/${encodeURIComponent(id)}`, { signal })));
    replace(place, drawn(both));
  } catch (error) {
    if (!signal.aborted) replace(place, problem(error));
  }
}

function drawn(both) {
  const videos = [];
  const column = (run) => h("section", { class: "card", "aria-label": `Run ${run.id}` },
    h("h2", null, h("a", { href: `#/runs/${run.id}` }, run.chain_slug), " ", statusPill(run.status)),
    run.input.source_image_url && h("div", null, h("h3", null, "Start picture"), pictures([run.input.source_image_url], "The start picture")),
    run.steps.map((step) => (step.generation_output_file ?? []).map((url) => {
      const figure = media(url, step, { muted: true });
      const video = figure.querySelector("video");
      if (video) videos.push(video);
      return h("div", null, h("h3", null, capital(spaced(step.step_key))), figure);
    })));
  const columns = both.map(column);
  const [first, second] = both.map(rowsOf);
  const names = [...new Set([...first.keys(), ...second.keys()])];
  const differing = names.filter((name) => first.get(name) !== second.get(name));
  const shown = [...new Set([...ALWAYS, ...differing])];
  keepInStep(videos);
  return [
    h("div", { class: "pair" }, columns),
    videos.length > 1 && h("div", { class: "row playback" },
      h("button", { type: "button", onclick: () => videos.forEach((video) => { video.currentTime = 0; video.play(); }) }, "Play both from the start"),
      h("button", { type: "button", onclick: () => videos.forEach((video) => video.pause()) }, "Pause both")),
    h("section", { class: "card", "aria-label": "Differences" }, h("h2", null, differing.length ? "Differences" : "No differences"),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of differences" }, h("table", { class: "diff" },
        h("thead", null, h("tr", null, ["", "First", "Second"].map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", null, shown.map((name) => h("tr", null, h("th", { scope: "row" }, name),
          h("td", { dir: "auto" }, first.get(name) ?? "–"), h("td", { dir: "auto" }, second.get(name) ?? "–")))))),
      h("p", { class: "quiet small" }, `${names.length - differing.length} values are the same.`)),
  ];
}

// Whoever plays, pauses or seeks one, does it to both.
function keepInStep(videos) {
  for (const video of videos) {
    const others = videos.filter((one) => one !== video);
    video.addEventListener("play", () => others.forEach((other) => other.paused && other.play()));
    video.addEventListener("pause", () => others.forEach((other) => other.pause()));
    video.addEventListener("seeking", () => others.forEach((other) => {
      if (Math.abs(other.currentTime - video.currentTime) > 0.2) other.currentTime = video.currentTime;
    }));
  }
}

const ALWAYS = ["status", "time", "cost", "wasted of it"];

function rowsOf(run) {
  const end = ended(run.status) ? run.updated_at : new Date();
  const rows = new Map([["status", run.status], ["time", seconds(between(run.created_at, end))], ["chain", run.chain_slug], ["mode", run.mode]]);
  const spent = paid(run);
  rows.set("cost", spent?.total ?? "nothing yet");
  rows.set("wasted of it", spent?.wasted ?? "nothing");
  for (const step of run.steps) {
    const name = spaced(step.step_key);
    rows.set(`${name}: model`, step.served_by?.model ?? step.model_identifier);
    if (step.completed_at && step.started_at) rows.set(`${name}: time`, seconds(between(step.started_at, step.completed_at)));
    if (step.attempts) rows.set(`${name}: attempts`, String(step.attempts.length));
  }
  for (const [name, value] of Object.entries(run.input)) flatten(value, spaced(name), rows);
  return rows;
}

function flatten(value, path, rows) {
  const isPlain = (one) => one === null || typeof one !== "object";
  if (isPlain(value)) rows.set(path, String(value));
  else if (Array.isArray(value) && value.every(isPlain)) rows.set(path, value.join(", "));
  else for (const [name, child] of Object.entries(value)) flatten(child, `${path}: ${spaced(name)}`, rows);
}

// What was spent: by day as columns, by model as bars, and both as a table for who reads no charts.

import { get } from "./api.js";
import { h, replace, svg } from "./dom.js";
import { loading, problem } from "./notices.js";
import { dollars } from "./words.js";

const HEIGHT = 110;
const WIDTH = 520;

export function spendPart(days, isAdmin, signal) {
  const place = h("div");
  let of = "me";
  const draw = async () => {
    replace(place, loading("spend"));
    try {
      const [byDay, byModel] = await Promise.all(["day", "model"].map((by) => get(`/api/v1/spend?by=${by}&of=${of}`, { signal })));
      replace(place, charts(byDay, byModel));
    } catch (error) {
      if (!signal.aborted) replace(place, problem(error, draw));
    }
  };
  draw();
  return [
    isAdmin && h("label", { class: "row" }, h("input", { type: "checkbox", onchange: ({ target }) => { of = target.checked ? "everyone" : "me"; draw(); } }), "Of all callers"),
    place,
    h("p", { class: "quiet small" }, `Ended attempts from ${days.since} to ${days.until}, in US dollars${days.mode === "sandbox" ? "; simulated: nothing is paid" : ""}.`),
  ];
}

function charts(byDay, byModel) {
  if (byDay.data.length === 0) return h("p", { class: "quiet" }, "Nothing was spent in the last 30 days.");
  return [
    h("div", { class: "two" },
      h("figure", null, h("figcaption", null, "By day"), columns(everyDay(byDay))),
      h("figure", null, h("figcaption", null, "By model"), bars(byModel.data))),
    h("p", { class: "quiet small key" }, h("span", { class: "swatch useful" }), "useful ", h("span", { class: "swatch wasted" }), "wasted: what failed, canceled and unknown attempts cost"),
    h("details", null, h("summary", null, "As a table"), h("div", { class: "two" },
      [["Day", byDay], ["Model", byModel]].map(([name, { data }]) =>
        h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Spend by ${name.toLowerCase()}` }, table(name, data))))),
  ];
}

function everyDay({ since, until, data }) {
  const known = new Map(data.map((row) => [row.group, row]));
  const days = [];
  for (let day = new Date(`${since}T00:00Z`); day <= new Date(`${until}T00:00Z`); day.setUTCDate(day.getUTCDate() + 1)) {
    const name = day.toISOString().slice(0, 10);
    days.push(known.get(name) ?? { group: name, useful: "0", wasted: "0", attempts: 0 });
  }
  return days;
}

const sum = (row) => Number(row.useful) + Number(row.wasted);

function columns(days) {
  const most = Math.max(...days.map(sum)) || 1;
  const width = WIDTH / days.length;
  const total = days.reduce((all, row) => all + sum(row), 0);
  const chart = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", class: "chart", role: "img", "aria-label": `${dollars(total)} in ${days.length} days, at most ${dollars(most)} a day` },
    days.map((row, index) => {
      const useful = (Number(row.useful) / most) * HEIGHT;
      const wasted = (Number(row.wasted) / most) * HEIGHT;
      const at = { x: index * width + 1, width: Math.max(1, width - 2) };
      return svg("g", null, svg("title", null, `${row.group}: ${dollars(sum(row))}, ${row.attempts} attempts`),
        svg("rect", { ...at, y: 0, height: HEIGHT, class: "ground" }),
        svg("rect", { ...at, y: HEIGHT - useful, height: useful, class: "useful" }),
        svg("rect", { ...at, y: HEIGHT - useful - wasted, height: wasted, class: "wasted" }));
    }));
  return [chart, h("p", { class: "row quiet small" }, h("span", null, days[0].group.slice(5)), h("span", null, `most: ${dollars(most)} a day`), h("span", null, days.at(-1).group.slice(5)))];
}

function table(name, rows) {
  return h("table", null,
    h("thead", null, h("tr", null, [name, "Useful", "Wasted", "Together", "Attempts"].map((title) => h("th", { scope: "col" }, title)))),
    h("tbody", null, rows.map((row) => h("tr", null, h("th", { scope: "row" }, row.group),
      [dollars(row.useful), dollars(row.wasted), dollars(sum(row)), row.attempts].map((value) => h("td", null, value))))));
}

function bars(rows) {
  const sorted = [...rows].sort((a, b) => sum(b) - sum(a)).slice(0, 8);
  const most = Math.max(...sorted.map(sum)) || 1;
  return h("ul", { class: "modelbars" }, sorted.map((row) => {
    const useful = h("span", { class: "useful" });
    const wasted = h("span", { class: "wasted" });
    useful.style.setProperty("width", `${(Number(row.useful) / most) * 100}%`);
    wasted.style.setProperty("width", `${(Number(row.wasted) / most) * 100}%`);
    return h("li", null, h("span", { class: "row" }, h("span", null, row.group), h("span", null, dollars(sum(row)))),
      h("span", { class: "track", "aria-hidden": "true" }, useful, wasted));
  }));
}

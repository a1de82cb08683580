// Provider accounts: how each does, and its switch.

import { post } from "./api.js";
import { h } from "./dom.js";
import { problem, toast } from "./notices.js";
import { date, seconds } from "./words.js";

const BREAKER = { closed: "healthy", open: "out", half_open: "being tried" };

export function providersPart(rows, isAdmin, again) {
  return h("div", { class: "providers" }, rows.map((one) => account(one, isAdmin, again)));
}

function account(one, isAdmin, again) {
  const state = one.disabled ? "disabled" : !one.offered ? "no key" : BREAKER[one.breaker.state];
  const kind = one.disabled ? "canceled" : !one.offered ? "queued" : { closed: "succeeded", open: "failed", half_open: "running" }[one.breaker.state];
  const errors = Object.entries(one.last_day.errors);
  return h("article", { class: "account", "data-provider": one.name, "aria-label": one.name },
    h("div", { class: "row" }, h("h3", null, one.name), h("span", { class: `pill is-${kind}` }, state)),
    one.breaker.state !== "closed" && h("p", { class: "warning" }, one.breaker.message ?? one.breaker.reason,
      one.breaker.next_probe_at && ` Tried again ${date(one.breaker.next_probe_at)}.`),
    one.disabled?.reason && h("p", { class: "warning" }, one.disabled.reason),
    one.paused_until && h("p", { class: "warning" }, `It asked us to wait: nothing new is sent before ${date(one.paused_until)}.`),
    one.models.filter(({ disabled }) => disabled).map(({ id, disabled }) =>
      h("p", { class: "warning" }, h("code", null, id), ` is disabled${disabled.reason ? `: ${disabled.reason}` : "."}`)),
    !one.offered && h("p", { class: "quiet small" }, "Set its key in the server's environment to offer its models."),
    h("dl", { class: "figures" },
      figure("Succeeded, last hour", share(one.last_hour)), figure("Last day", share(one.last_day)),
      figure("Median", seconds(one.last_day.seconds.p50)), figure("95 % within", seconds(one.last_day.seconds.p95)),
      figure("Waiting", one.waiting), one.limit !== null && figure("In use", `${one.active ?? 0} of ${one.limit}`)),
    errors.length > 0 && h("ul", { class: "errors" }, errors.sort(([, a], [, b]) => b - a).map(([code, count]) =>
      h("li", null, meter(count, one.last_day.attempts), h("code", null, code), ` ${count}`))),
    isAdmin && one.offered && toggle(one, again));
}

const figure = (name, value) => h("div", null, h("dt", null, name), h("dd", null, value));
// What was canceled counts as an attempt, and neither as a success nor as a failure.
const share = ({ attempts, success_share: part }) => attempts === 0 ? "not used yet" : part === null ? plural(attempts) : `${Math.round(part * 100)} %, ${plural(attempts)}`;
const plural = (attempts) => `${attempts} ${attempts === 1 ? "attempt" : "attempts"}`;

function meter(count, all) {
  return h("meter", { min: "0", max: String(Math.max(1, all)), value: count, "aria-label": `${count} of ${all} attempts` });
}

function toggle(one, again) {
  const reset = one.disabled || one.breaker.state !== "closed";
  const send = async (button, action) => {
    button.disabled = true;
    try {
      await post(`/api/v1/providers/${one.name}/${action}`);
      toast(action === "disable" ? `${one.name} gets nothing new.` : `${one.name} is used again.`);
      again();
    } catch (error) {
      button.disabled = false;
      button.after(problem(error));
    }
  };
  // Heard alone, it says whom it means.
  const button = (text, kind, action) =>
    h("button", { type: "button", class: kind, "aria-label": `${text}: ${one.name}`, onclick: ({ target }) => send(target, action) }, text);
  return h("div", { class: "actions" },
    reset && button(one.disabled ? "Enable" : "Use it again now", null, "enable"),
    !one.disabled && button("Disable", "danger", "disable"));
}

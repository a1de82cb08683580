// A run's callbacks: when they were sent, what the receiver said, and sending again.

import { get } from "./api.js";
import { statusPill } from "./chain_picture.js";
import { h, replace } from "./dom.js";
import { problem, toast } from "./notices.js";
import { start } from "./starts.js";
import { clock, date } from "./words.js";

// `told` hears what was sent, since the timeline shows it too.
export function deliveriesPart(place, runId, { signal, mayResend }, told) {
  const path = `/api/v1/chains/runs/${runId}/deliveries`;
  let timer = null;
  async function read() {
    try {
      const { data } = await get(path, { signal });
      replace(place, draw(data, mayResend && resend));
      told(data);
    } catch (error) {
      if (!signal.aborted) replace(place, card(problem(error, read)));
    }
  }
  async function resend(button) {
    button.disabled = true;
    try {
      await start(path, {});
      toast("The callback is on its way again.");
      soon();
    } catch (error) {
      button.disabled = false;
      if (button.nextElementSibling?.matches(".problem")) button.nextElementSibling.remove();
      button.after(problem(error));
    }
  }
  // A callback follows its run's end by a moment, and a resend its click: the log is read once more after it.
  function soon() {
    clearTimeout(timer);
    timer = setTimeout(read, 1200);
  }
  signal.addEventListener("abort", () => clearTimeout(timer));
  read();
  return { soon };
}

const card = (...children) => h("section", { class: "card", "aria-label": "Callbacks" }, h("h2", null, "Callbacks"), children);

function draw(deliveries, resend) {
  if (deliveries.length === 0) {
    return card(h("p", { class: "quiet" }, "None was sent. A run with a callback address tells it when the run ends."));
  }
  return card(deliveries.map((one) => h("div", { class: "delivery" },
    h("p", null, statusPill(one.status), " ", h("code", null, one.event), h("br"), h("span", { class: "quiet small address" }, one.url)),
    h("ul", { class: "moments" }, one.attempts.map((attempt) => h("li", null,
      h("time", { datetime: attempt.sent_at }, clock(attempt.sent_at)),
      h("span", { class: "quiet small" }, `${attempt.duration_ms} ms`),
      h("span", null, answer(attempt))))),
    one.next_attempt_at && h("p", { class: "quiet small" }, `Next attempt ${date(one.next_attempt_at)}.`))),
  resend && h("button", { type: "button", onclick: ({ target }) => resend(target) }, "Send again"));
}

const answer = (attempt) => [attempt.outcome, attempt.http_status && `HTTP ${attempt.http_status}`, attempt.error, attempt.answer].filter(Boolean).join(" · ");

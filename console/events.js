// A run's event stream. EventSource can send no key, so the stream is read by hand and taken up again where it broke.

import { ApiError, failureOf, key } from "./api.js";

const LONGEST_PAUSE = 10_000;

export function follow(runId, { onEvent, onState, signal }) {
  let seen = null;
  let pause = 500;
  const listen = async () => {
    while (!signal.aborted) {
      try {
        if (await read()) return;
        pause = 500;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ApiError && error.status < 500 && error.status !== 429) return onState("refused", error);
        onState("lost", error);
      }
      await sleep(pause, signal);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  };

  // True when nothing follows.
  const read = async () => {
    const headers = { authorization: `Bearer ${key.get() ?? ""}` };
    if (seen !== null) headers["last-event-id"] = seen;
    const answer = await fetch(`/api/v1/chains/runs/${runId}/events`, { headers, signal });
    if (answer.status === 204) return true;
    if (!answer.ok) throw await failureOf(answer);
    onState("live");
    pause = 500;
    for await (const event of eventsOf(answer.body)) {
      if (event.id) seen = event.id;
      onEvent(event.name, JSON.parse(event.data));
      if (event.name === "end") return true;
    }
    return false;
  };
  return listen();
}

async function* eventsOf(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = {};
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split(/\r?\n/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (event.data !== undefined) yield { name: event.event ?? "message", id: event.id, data: event.data };
        event = {};
      } else if (!line.startsWith(":")) {
        const colon = line.indexOf(":");
        const name = colon < 0 ? line : line.slice(0, colon);
        const said = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        event[name] = name === "data" && event.data !== undefined ? `${event.data}\n${said}` : said;
      }
    }
  }
}

function sleep(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}

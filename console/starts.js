// Starts of what must not happen twice, runs above all: one key for each thing that is asked for, until its answer has come.

import { post } from "./api.js";

const keys = new Map();

// Asked again after an answer was lost, the same start has the same key: the API gives back what it made.
export async function start(path, body) {
  const asked = `${path} ${JSON.stringify(body)}`;
  if (!keys.has(asked)) keys.set(asked, freshKey());
  try {
    const made = await post(path, body, { headers: { "idempotency-key": keys.get(asked) } });
    keys.delete(asked);
    return made;
  } catch (error) {
    // What was refused has started nothing. After anything else nobody here knows.
    if (error.status >= 400 && error.status < 500) keys.delete(asked);
    throw error;
  }
}

// Not crypto.randomUUID: a page over plain http in a private network has none.
export const freshKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

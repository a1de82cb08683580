// What a run's request had beside its input, and the run itself does not show: the address of its callback.

import { ended } from "./words.js";

// `told` are its callbacks, or null where they are not known. Nothing is said where nothing was left out.
export function leftOut(run, told) {
  if (told?.length > 0) return "Without its callback address.";
  return told && ended(run.status) ? null : "Without its callback address, if it had one.";
}

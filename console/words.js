// Amounts, times and states in words.

export function money(cost) {
  if (!cost || (cost.low === null && cost.high === null)) return "price unknown";
  if (cost.low === cost.high) return dollars(cost.low);
  if (cost.low === null) return `up to ${dollars(cost.high)}`;
  if (cost.high === null) return `${dollars(cost.low)} or more`;
  return `${dollars(cost.low)} – ${dollars(cost.high)}`;
}

// Two amounts together; what nobody knows of one, nobody knows of both.
function sum(one, other) {
  const add = (a, b) => (a === null || b === null ? null : String(Number(a) + Number(b)));
  return { low: add(one.low, other.low), high: add(one.high, other.high) };
}

export const isSome = (cost) => Number(cost.high ?? 1) > 0;

// What a run has cost, all told, and how much of it was for nothing. Of one under way: so far.
export function paid(run) {
  if (!run.cost) return null;
  const { useful, wasted } = run.cost;
  const all = sum(useful, wasted);
  const total = ended(run.status) ? money(all) : money({ ...all, high: all.low });
  return { total, wasted: !isSome(wasted) ? null : money(wasted) === total ? "all" : money(wasted) };
}

export function dollars(amount) {
  const number = Number(amount);
  if (number === 0) return "$0";
  return `$${number.toFixed(number < 1 ? 3 : 2)}`;
}

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 9.95) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const between = (start, end) => (new Date(end) - new Date(start)) / 1000;

const SHORT = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const LONG = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
export const clock = (moment) => SHORT.format(new Date(moment));
export function date(moment) {
  const day = new Date(moment);
  return day.toDateString() === new Date().toDateString() ? `today, ${SHORT.format(day)}` : LONG.format(day);
}

export const spaced = (name) => name.replaceAll("_", " ");
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
export const ended = (status) => ["succeeded", "failed", "canceled"].includes(status);

export const SAFETY = {
  A: "A: a lost start is sent again under the same key; it is never paid twice.",
  B: "B: a lost start is looked up at the provider; it is never paid twice.",
  C: "C: a lost start can't be looked up; the step then ends, and the cost at risk is shown.",
};

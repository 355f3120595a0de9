// Numbers and times for people. What is missing is a dash, never 0.

export const DASH = "–";
const grouped = new Intl.NumberFormat("en");

export const missing = (value) => value === null || value === undefined || Number.isNaN(value);

export function count(value) {
  return missing(value) ? DASH : grouped.format(value);
}

/** A number of things: "1 host", "2 hosts". */
export function plural(value, word) {
  return `${count(value)} ${word}${value === 1 ? "" : "s"}`;
}

export function score(value) {
  return missing(value) ? DASH : value.toFixed(2);
}

export function rate(value) {
  if (missing(value)) return DASH;
  return value >= 100 ? grouped.format(Math.round(value)) : value.toPrecision(3).replace(/\.?0+$/, "");
}

/** A figure with its interval, or why there is none. */
export function figure(one, shown = score) {
  if (!one || missing(one.value)) return DASH;
  if (missing(one.low) || missing(one.high)) return shown(one.value);
  return `${shown(one.value)} [${shown(one.low)}, ${shown(one.high)}]`;
}

export function bytes(value) {
  if (missing(value)) return DASH;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let place = 0;
  let left = value;
  while (left >= 1000 && place < units.length - 1) { left /= 1000; place += 1; }
  return `${place && left < 100 ? left.toFixed(1) : Math.round(left)} ${units[place]}`;
}

/** Seconds as an age: "now", "12 s", "5 min", "3 h", "4 d". */
export function span(seconds) {
  if (missing(seconds)) return DASH;
  const s = Math.max(0, seconds);
  if (s < 1.5) return "now";
  if (s < 90) return `${Math.round(s)} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 129600) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}

export function ago(seconds) {
  const text = span(seconds);
  return text === DASH || text === "now" ? text : `${text} ago`;
}

export function time(unix) {
  if (missing(unix)) return DASH;
  const at = new Date(unix * 1000);
  const two = (n) => String(n).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

export function share(value) {
  return missing(value) ? DASH : `${(100 * value).toFixed(value > 0 && value < 0.1 ? 1 : 0)} %`;
}

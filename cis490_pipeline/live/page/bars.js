// Small figures in SVG: bars over time, a bar with an interval on an axis from 0 to 1, a ribbon.

import { svg } from "./dom.js";

/** Bars over equal steps; heights relative to the highest. */
export function bars(values, { label }) {
  const most = Math.max(1, ...values);
  const step = 600 / values.length;
  return svg("svg", { class: "bars", viewBox: "0 0 600 130", preserveAspectRatio: "none", role: "img", "aria-label": `highest ${most}` },
    values.map((value, place) => svg("rect", {
      x: place * step + 0.5, width: Math.max(1, step - 1.5), y: 126 - 122 * (value / most),
      height: Math.max(value > 0 ? 2 : 0, 122 * (value / most)) }, svg("title", { text: label(value, place) }))),
    svg("line", { x1: 0, x2: 600, y1: 127, y2: 127, class: "base" }));
}

/** A value between 0 and 1 with its interval. */
export function scoreBar(figure, colour) {
  const at = (value) => 100 * Math.min(1, Math.max(0, value));
  const has = figure && figure.value !== null;
  const ends = has && figure.low !== null && figure.high !== null;
  return svg("svg", { class: "score", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "track", x: 0, y: 0, width: 100, height: 10 }),
    has ? svg("rect", { x: 0, y: 1.5, width: at(figure.value), height: 7, fill: colour }) : null,
    ends ? svg("rect", { class: "interval", x: at(figure.low), y: 4.2, width: Math.max(0.4, at(figure.high) - at(figure.low)), height: 1.6 }) : null,
    [25, 50, 75].map((x) => svg("line", { class: "tick", x1: x, x2: x, y1: 0, y2: 10 })));
}

/** Coloured stretches [{from, to, colour, name}] between `from` and `to`; what is left out stays empty. */
export function ribbon(stretches, { from, to, marks = [], label }) {
  const x = (t) => 1000 * (t - from) / Math.max(1e-9, to - from);
  return svg("svg", { class: "ribbon", viewBox: "0 0 1000 40", preserveAspectRatio: "none", role: "img", "aria-label": label },
    svg("rect", { class: "nothing", x: 0, y: 0, width: 1000, height: 40 }),
    stretches.map((one) => svg("rect", { x: x(one.from), width: Math.max(0.5, x(one.to) - x(one.from)), y: 0, height: 40, fill: one.colour },
      svg("title", { text: one.name }))),
    marks.map((one) => svg("line", { class: "alarm", x1: x(one), x2: x(one), y1: 0, y2: 40 })));
}

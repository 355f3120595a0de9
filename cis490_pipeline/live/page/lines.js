// Probability streams: one line a phase (uPlot).

import uPlot from "./vendor/uplot/uPlot.esm.js";
import { PHASES, ink, phase as colour } from "./colours.js";
import { el } from "./dom.js";

const HEIGHT = 260;

export function lines(parent) {
  const place = el("div", { class: "plot" });
  parent.append(place);
  let plot = null;
  let look = "";

  const make = (width) => new uPlot({
    width, height: HEIGHT, legend: { live: false }, cursor: { drag: { x: false, y: false } },
    scales: { x: { time: false }, y: { range: [0, 1] } },
    axes: [
      { stroke: ink("soft"), grid: { stroke: ink("grid"), width: 1 }, ticks: { stroke: ink("grid") }, values: (_, marks) => marks.map((one) => `${one} s`) },
      { stroke: ink("soft"), grid: { stroke: ink("grid"), width: 1 }, ticks: { stroke: ink("grid") } },
    ],
    series: [{}, ...PHASES.map((name) => ({ label: name, stroke: colour(name), width: 2, spanGaps: false, points: { show: false } }))],
  }, [[], ...PHASES.map(() => [])], place);

  return { show(one) {
    const width = Math.max(200, place.clientWidth || parent.clientWidth);
    const wanted = `${width} ${ink("soft")}`;
    if (wanted !== look) {
      plot?.destroy();
      plot = make(width);
      look = wanted;
    }
    plot.setData(columns(one.predictions));
  } };
}

/** Rows by window; where windows are missing, a null breaks the lines. */
function columns(predictions) {
  const found = [[], ...PHASES.map(() => [])];
  let before = null;
  for (const one of predictions) {
    if (before !== null && one.window !== before + 1) {
      found[0].push(one.t_s - 2.5);
      PHASES.forEach((_, place) => found[place + 1].push(null));
    }
    found[0].push(one.t_s);
    PHASES.forEach((name, place) => found[place + 1].push(one.probabilities[name]));
    before = one.window;
  }
  return found;
}

// The embedding's trail: windows as points, coloured by the true phase, joined in time (ECharts).

import * as echarts from "./vendor/echarts/echarts.esm.min.js";
import { PHASES, ink, phase as colour } from "./colours.js";
import { el } from "./dom.js";

export function trail(parent) {
  const place = el("div", { class: "plot square", role: "img", "aria-label": "windows in a plane" });
  parent.append(place);
  let chart = null;

  return { show(one) {
    chart ??= echarts.init(place, null, { renderer: "canvas" });
    chart.resize();
    chart.setOption(options(one), { replaceMerge: ["series"] });
  } };
}

function options(one) {
  const axis = { type: "value", scale: true, axisLabel: { color: ink("soft") }, splitLine: { lineStyle: { color: ink("grid") } }, axisLine: { lineStyle: { color: ink("grid") } } };
  const points = one.trail;
  const names = [...PHASES, null].filter((name) => points.some((p) => p.truth === name));
  return {
    animation: false, textStyle: { fontFamily: "system-ui, sans-serif" },
    grid: { left: 44, right: 16, top: 34, bottom: 30 },
    legend: { top: 0, textStyle: { color: ink("ink") }, data: names.map((name) => name ?? "no phase") },
    tooltip: { trigger: "item", renderMode: "richText", formatter: (at) => `${at.seriesName}, ${at.value[2] ?? ""} s` },
    xAxis: axis, yAxis: axis,
    series: [
      { type: "line", name: "path", data: points.map((p) => [p.x, p.y]), showSymbol: false, silent: true, lineStyle: { color: ink("soft"), width: 1, opacity: 0.5 }, z: 1 },
      ...names.map((name) => ({ type: "scatter", name: name ?? "no phase", itemStyle: { color: colour(name) }, symbolSize: 9, z: 2,
        data: points.filter((p) => p.truth === name).map((p) => [p.x, p.y, p.t_s]) })),
      { type: "scatter", name: "now", data: points.slice(-1).map((p) => [p.x, p.y, p.t_s]), symbolSize: 18, itemStyle: { color: "transparent", borderColor: ink("ink"), borderWidth: 2 }, z: 3 },
    ],
  };
}

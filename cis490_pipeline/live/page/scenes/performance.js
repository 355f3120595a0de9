// What a model costs on a machine, as measured there.

import { family as colour } from "../colours.js";
import { el, put, table } from "../dom.js";
import { bytes, count, missing, rate, time } from "../format.js";
import { inOrder, label } from "../models.js";
import { fillPanel, panel } from "../panel.js";

export const performance = {
  id: "performance",
  title: "Performance",
  make(root) {
    const made = panel({
      title: "Cost of a verdict", topics: ["model_perf"], wide: true,
      explains: "Time that a model takes for one window of 10 s, memory and size, measured on the machine that is named.",
      waiting: "Waiting for a measurement: `cis490 replay EPISODE --model …` publishes one at its end.",
    });
    root.append(made.node);
    return { render: (state) => {
      const there = [...state.perf.values()].sort((a, b) => inOrder(a, b) || (a.machine < b.machine ? -1 : 1));
      fillPanel(made, there.length > 0);
      const slowest = Math.max(0, ...there.map((one) => one.latency_p95_ms ?? one.latency_p50_ms ?? 0));
      put(made.body, table(["model", "machine", "p50, p95 of a window", "memory", "size", "windows timed", "measured"],
        there.map((one) => [name(one.model), one.machine, latency(one, slowest), bytes(one.rss_bytes), bytes(one.size_bytes), count(one.n_measured), time(one.measured_at)]), { class: "perf" }));
    } };
  },
};

function name(model) {
  return el("span", { title: model.split }, el("span", { class: "dot", style: { background: colour(model.family) } }),
    document.createTextNode(`${label(model)} · ${model.mode}`));
}

function latency(one, slowest) {
  const width = (ms) => `${missing(ms) || !slowest ? 0 : 100 * ms / slowest}%`;
  const shade = colour(one.model.family);
  return el("span", { class: "latency" },
    el("span", { class: "track" }, el("span", { class: "p95", style: { width: width(one.latency_p95_ms), background: shade } }),
      el("span", { class: "p50", style: { width: width(one.latency_p50_ms), background: shade } })),
    el("span", { text: `${rate(one.latency_p50_ms)} ms, ${rate(one.latency_p95_ms)} ms` }));
}

// How the recorded time divides into phases.

import { el, put, table } from "../dom.js";
import { PHASES, phase as colour } from "../colours.js";
import { DASH, count, share, span } from "../format.js";
import { fillPanel, panel } from "../panel.js";

export const phases = {
  id: "phases",
  title: "Phases",
  make(root) {
    const mix = panel({
      title: "Phase mix", topics: ["phase_mix"], wide: true,
      explains: "How the recorded time divides into the phases of an infection.",
      waiting: "Waiting for the first count, which follows the first ingest and is renewed every 10 minutes.",
    });
    root.append(mix.node);
    return { render: (state) => renderMix(mix, state.mix) };
  },
};

function renderMix(made, mix) {
  fillPanel(made, mix !== null);
  if (!mix) return;
  const inSeconds = mix.basis === "seconds";
  const shares = PHASES.map((name) => [name, mix.proportions?.[name] ?? null]);
  put(made.body,
    el("div", { class: "mix", role: "img", "aria-label": "proportions" }, shares.map(([name, part]) => part ? el("div", {
      class: "part", style: { "flex-grow": String(part), background: colour(name) }, title: `${name}: ${share(part)}` },
    part > 0.06 ? el("span", { text: `${name} ${share(part)}` }) : null) : null)),
    el("p", { id: "mix-basis", text: `${inSeconds ? "Proportions of time: each phase lasts until the next begins" : "Proportions of labels, since no durations are known"}. ` +
      `Counted in ${count(mix.sampled_episodes)} of ${count(mix.population_episodes)} received episodes; ` +
      `${count(mix.total_labels)} labels, and ${count(mix.other_labels)} that are no phase (failed), which are in no figure.` }),
    table(["phase", "share", "time", "labels"], shares.map(([name, part]) => [
      el("span", {}, el("span", { class: "dot", style: { background: colour(name) } }), document.createTextNode(name)),
      share(part), mix.weighted_seconds ? span(mix.weighted_seconds[name]) : DASH, count(mix.counts[name])]), { class: "phases" }));
}

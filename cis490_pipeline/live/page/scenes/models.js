// The whole zoo on one split: every family in every mode, fitted or not.

import { scoreBar } from "../bars.js";
import { family as colour } from "../colours.js";
import { el, put } from "../dom.js";
import { DASH, figure, plural, score } from "../format.js";
import { Choice, MODES, MODE_WORDS, inOrder, label, splitsOf } from "../models.js";
import { fillPanel, panel } from "../panel.js";

const SHARES = new Set(["macro_f1", "id_val_macro_f1", "accuracy", "average_precision", "detected_share", "ece"]);

export const models = {
  id: "models",
  title: "Models",
  make(root, again) {
    const split = new Choice("split", again);
    const wanted = new Choice("figure", again);
    const intro = panel({
      title: "Models", topics: ["model_metric"], wide: true,
      explains: "How well each model names the phase on machines or samples that it was not trained on. A bar is the score, the line in it its 95 % interval over episodes.",
      waiting: "Waiting for a split with models: materialize full_split, or run `cis490 train` and `cis490 evaluate`.",
    });
    const zoo = el("div", { class: "zoo" });
    const about = el("p", { id: "models-about" });
    intro.body.append(el("div", { class: "choices" }, split.node, wanted.node), about, zoo);
    root.append(intro.node);
    return { render: (state) => {
      const splits = splitsOf(state.models);
      fillPanel(intro, splits.length > 0);
      if (!splits.length) return;
      const chosen = split.offer(splits, bestFilled(state, splits));
      const there = [...state.models.values()].filter((one) => one.model.split === chosen).sort(inOrder);
      const names = [...new Set(there.flatMap((one) => one.figures.map((f) => f.name)))].filter((name) => SHARES.has(name) || name.startsWith("f1_"));
      const name = wanted.offer(names.length ? names : ["macro_f1"], "macro_f1");
      const tested = there.find((one) => one.n_episodes > 0);
      about.textContent = tested
        ? `Tested on ${plural(tested.n_episodes, "episode")} (${plural(tested.n_windows, "window")}, ${plural(tested.n_samples, "sample")}, ${plural(tested.n_hosts, "host")}); intervals are ${tested.condition ?? "over episodes"}.`
        : "Nothing is scored on this split yet.";
      put(zoo, MODES.map((mode) => group(mode, there.filter((one) => one.model.mode === mode), name)));
    } };
  },
};

/** The split with the most scored models: what one wants to see first. */
function bestFilled(state, splits) {
  const scored = (split) => [...state.models.values()].filter((one) => one.model.split === split && one.figures.length > 1).length;
  return splits.reduce((best, one) => (scored(one) > scored(best) ? one : best), splits[0]);
}

function group(mode, there, name) {
  if (!there.length) return null;
  return el("section", { class: "group", "data-mode": mode }, el("h3", { text: MODE_WORDS[mode] ?? mode }),
    el("ul", {}, there.map((one) => row(one, name))));
}

function row(one, name) {
  const found = one.figures.find((f) => f.name === name);
  const shade = colour(one.model.family);
  const absent = !found || found.value === null;
  const why = absent ? found?.reason ?? one.reason ?? "not computed" : null;
  const short = one.bundle === null ? "not fitted" : why;
  return el("li", { class: absent ? "model untrained" : "model", "data-family": one.model.family, title: why ?? `${label(one.model)}: ${figure(found)}` },
    el("span", { class: "name" }, el("span", { class: "dot", style: { background: shade } }), document.createTextNode(label(one.model))),
    scoreBar(absent ? null : found, shade),
    el("span", { class: "value" }, el("strong", { text: absent ? DASH : score(found.value) }),
      el("small", { text: absent ? short : found.low === null || found.high === null ? "no interval" : `${score(found.low)} – ${score(found.high)}` })));
}

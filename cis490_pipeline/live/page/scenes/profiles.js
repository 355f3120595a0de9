// Where models are good and where not: by what ran on the machine.

import { family as colour } from "../colours.js";
import { el, put, table } from "../dom.js";
import { score } from "../format.js";
import { Choice, inOrder, label, splitsOf } from "../models.js";
import { fillPanel, panel } from "../panel.js";

export const profiles = {
  id: "profiles",
  title: "Profiles",
  make(root, again) {
    const split = new Choice("split", again);
    const mode = new Choice("mode", again);
    const made = panel({
      title: "By profile", topics: ["profile"], wide: true,
      explains: "Macro F1 of each model on each kind of workload, with its 95 % interval. A profile that has no test episode is untested, which is not the same as bad.",
      waiting: "Waiting for an evaluated split.",
    });
    const place = el("div");
    made.body.append(el("div", { class: "choices" }, split.node, mode.node), place);
    root.append(made.node);
    return { render: (state) => {
      const splits = splitsOf(state.profiles);
      fillPanel(made, splits.length > 0);
      if (!splits.length) return;
      const chosen = split.offer(splits, splits[0]);
      const ofSplit = [...state.profiles.values()].filter((one) => one.model.split === chosen);
      const modes = [...new Set(ofSplit.map((one) => one.model.mode))].sort();
      const wanted = mode.offer(modes, "realistic");
      put(place, matrix(ofSplit.filter((one) => one.model.mode === wanted).sort(inOrder)));
    } };
  },
};

function matrix(models) {
  const names = [...new Set(models.flatMap((one) => one.profiles.map((p) => p.profile)))].sort();
  const heads = models.map((one) => el("span", {}, el("span", { class: "dot", style: { background: colour(one.model.family) } }), document.createTextNode(label(one.model))));
  return table(["profile", ...heads], names.map((name) => [name, ...models.map((one) => cell(one, name))]), { class: "matrix" });
}

function cell(model, name) {
  const found = model.profiles.find((one) => one.profile === name);
  const value = found?.macro_f1.value ?? null;
  if (value === null) return el("span", { class: "untested", title: found?.macro_f1.reason ?? "", text: found?.coverage === "untested" ? "untested" : "–" });
  const { low, high } = found.macro_f1;
  return el("span", { class: "heat", style: { "--share": String(value), "--tone": colour(model.model.family) }, title: `${found.n_episodes} episodes, ${found.n_windows} windows` },
    el("strong", { text: score(value) }), el("small", { text: low === null || high === null ? "no interval" : `${score(low)}–${score(high)}` }),
    found.coverage === "unseen" ? el("small", { class: "unseen", text: "not in training" }) : null);
}

// One episode again, as a device would have seen it: truth and prediction, window by window.

import { ribbon } from "../bars.js";
import { trail } from "../trail.js";
import { PHASES, phase as colour } from "../colours.js";
import { el, put } from "../dom.js";
import { lines } from "../lines.js";
import { Choice, label } from "../models.js";
import { fillPanel, panel } from "../panel.js";

const WINDOW_S = 10;
const STRIDE_S = 5;
const INFECTED = new Set(["infecting", "infected_running", "dormant"]);

export const replay = {
  id: "replay",
  title: "Live replay",
  make(root, again) {
    const waiting = "Waiting for a replay: cis490 replay EPISODE.tar.zst --model BUNDLE --speed 10";
    const course = panel({
      title: "Replay", topics: ["prediction", "phase"], wide: true, waiting,
      explains: "What really happened in a recorded episode, and what a model says of it at the moment at which a device could have known.",
    });
    const streams = panel({
      title: "Probabilities", topics: ["prediction"], waiting,
      explains: "How probable the model holds each phase to be, by the middle of each window.",
    });
    const space = panel({
      title: "Where the windows lie", topics: ["embedding"], waiting: "Waiting for a model with a projection.",
      explains: "Each point is a window in a plane fitted on training windows; its colour is the true phase, the line follows time.",
    });
    const which = new Choice("replay", again);
    const facts = el("div", { class: "replay" });
    course.body.append(which.node, facts);
    const plot = lines(streams.body);
    const scatter = trail(space.body);
    root.append(course.node, streams.node, space.node);
    let followed = null;
    return { render: (state) => {
      const all = [...state.replays.values()].reverse();
      for (const made of [course, streams]) fillPanel(made, all.length > 0);
      if (!all.length) { fillPanel(space, false); return; }
      const names = all.map(title);
      if (followed !== names[0]) { which.value = followed = names[0]; } // a new one comes to the front
      const one = all[names.indexOf(which.offer(names, names[0]))];
      renderCourse(facts, one);
      plot.show(one);
      fillPanel(space, one.trail.length > 0);
      if (one.trail.length) scatter.show(one);
    } };
  },
};

function title(one) {
  return `${label(one.model)} · ${one.model.mode} on ${one.host} / ${one.episode} (${one.replay})`;
}

function renderCourse(node, one) {
  const last = one.predictions.at(-1);
  const from = 0;
  const to = Math.max(60, (last?.t_s ?? 0) + WINDOW_S / 2, one.truth.at(-1)?.t ?? 0);
  const marks = one.alarm === null ? [] : [one.alarm];
  put(node,
    el("div", { class: "lane" }, el("span", { text: "truth" }), ribbon(truthStretches(one, to), { from, to, label: "true phases" })),
    el("div", { class: "lane" }, el("span", { text: "model" }), ribbon(predicted(one), { from, to, marks, label: "predicted phases" })),
    el("p", { class: "ends" }, el("span", { text: "0 s" }), el("span", { text: `${Math.round(to)} s since the first label` })),
    el("p", { class: "legend" }, PHASES.map((name) => el("span", {}, el("span", { class: "dot", style: { background: colour(name) } }), document.createTextNode(name)))),
    el("p", { id: "alarm", class: one.alarm === null ? "silent" : "raised", text: alarmText(one) }));
}

function truthStretches(one, to) {
  const steps = one.truth;
  return steps.map((step, place) => ({ from: step.t, to: steps[place + 1]?.t ?? Math.min(to, (one.predictions.at(-1)?.verdict_s ?? step.t)), colour: colour(step.phase), name: step.phase ?? "no phase" }))
    .filter((one) => one.to > one.from);
}

/** A window that was not heard (a gap) stays empty. */
function predicted(one) {
  return one.predictions.map((p) => ({ from: p.t_s - STRIDE_S / 2, to: p.t_s + STRIDE_S / 2, colour: colour(p.predicted), name: `${p.predicted} at ${p.t_s} s` }));
}

function alarmText(one) {
  const onset = one.truth.find((step) => INFECTED.has(step.phase))?.t;
  const said = one.alarm === null ? "No alarm so far" : `Alarm raised at ${one.alarm.toFixed(0)} s`;
  if (onset === undefined) return one.alarm === null ? `${said}; no infection so far.` : `${said}: a false alarm, unless an infection follows.`;
  if (one.alarm === null) return `${said}; the infection began at ${onset.toFixed(0)} s.`;
  const delay = one.alarm - onset;
  return delay >= 0 ? `${said}, ${delay.toFixed(0)} s after the infection began.` : `${said}, ${(-delay).toFixed(0)} s before the infection began: a false alarm.`;
}

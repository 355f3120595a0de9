// The model of split deploy on what arrives: alarms by the hour, and drift.

import { family as colour } from "../colours.js";
import { el, put, table } from "../dom.js";
import { DASH, ago, count, figure, rate, score, share } from "../format.js";
import { label } from "../models.js";
import { fillPanel, panel } from "../panel.js";

const FARTHEST = 6;

export const shadow = {
  id: "shadow",
  title: "Shadow mode",
  make(root) {
    const watched = panel({
      title: "Shadow mode", topics: ["shadow"], wide: true,
      explains: "The model that would be shipped watches every episode that arrives, and nobody acts on it. It is no test: these hosts trained it.",
      waiting: "Waiting for split deploy: as soon as it has an evaluated model, arrivals are scored after each ingest.",
    });
    const drift = panel({
      title: "Drift", topics: ["shadow"], wide: true,
      explains: "How far each host's newest episodes lie from those that the model was trained on: 0 is the same distribution, 1 is no overlap.",
      waiting: "Waiting for shadow mode.",
    });
    root.append(watched.node, drift.node);
    return { render: (state) => {
      const hosts = [...state.shadow.values()].sort((a, b) => (a.host_id < b.host_id ? -1 : 1));
      fillPanel(watched, hosts.length > 0);
      fillPanel(drift, hosts.length > 0);
      put(watched.body, table(["host", "model", "episodes", "alarms per hour", "false alarms per hour", "infections found", "windows right", "last arrival"], hosts.map(row), { class: "watched" }));
      put(drift.body, hosts.map(drifted));
    } };
  },
};

function told(one, name, shown) {
  const found = one.figures.find((f) => f.name === name);
  if (!found || found.value === null) return el("span", { class: "untested", text: DASH, title: found?.reason ?? "" });
  return el("span", { title: found.reason ?? "95 % interval over episodes", text: figure(found, shown) });
}

function row(one) {
  const now = Date.now() / 1000;
  return [one.host_id,
    el("span", {}, el("span", { class: "dot", style: { background: colour(one.model.family) } }), document.createTextNode(`${label(one.model)} · ${one.model.mode}`)),
    count(one.n_episodes), told(one, "alarms_per_host_hour", rate), told(one, "false_alarms_per_host_hour", rate), told(one, "detected_share", score),
    one.n_windows ? share(one.n_right / one.n_windows) : DASH, one.last_received_at === null ? DASH : ago(now - one.last_received_at)];
}

function drifted(one) {
  const head = el("h3", {}, document.createTextNode(one.host_id), el("small", {
    text: one.drift_reason ?? `${one.n_drifted} of ${one.n_compared} channels beyond chance, last ${one.n_recent} arrivals` }));
  return el("div", { class: "drift" }, head, el("ul", {}, one.drift.slice(0, FARTHEST).map((channel) => el("li", {},
    el("span", { class: "name", text: channel.channel }),
    el("span", { class: "track" }, el("span", { class: channel.beyond_chance ? "far" : "near", style: { width: `${100 * channel.ks}%` } })),
    el("span", { text: score(channel.ks) })))));
}

// A panel: what it shows, in one sentence; how old it is; and whether something is missing.

import { el } from "./dom.js";
import { ago, span } from "./format.js";

const GAP_SHOWN_S = 120;
const all = new Set();

/**
 * Make a panel. `topics` are those that fill it: their last event is its age. `waiting` says what
 * would fill it; it is shown until the first of them was heard.
 */
export function panel({ title, explains, topics, waiting, wide = false }) {
  const age = el("span", { class: "age", text: "no event yet" });
  const mark = el("span", { class: "mark", hidden: true });
  const body = el("div", { class: "body", hidden: true });
  const empty = el("p", { class: "empty", text: waiting });
  const node = el("section", { class: wide ? "panel wide" : "panel" },
    el("header", {}, el("h2", { text: title }), mark, age),
    el("p", { class: "explains", text: explains }), empty, body);
  const made = { node, body, topics, age, mark, empty, isFilled: false };
  all.add(made);
  return made;
}

/** Show what there is, in the place of what would fill it. */
export function fillPanel(made, filled = true) {
  made.body.hidden = !filled;
  made.empty.hidden = filled;
}

/** Renew ages and gap marks of every panel. */
export function renewAges(state) {
  const now = Date.now() / 1000;
  const gap = state.gaps[0];
  for (const one of all) {
    const times = one.topics.map((topic) => state.heard[topic]).filter((at) => at !== undefined);
    one.age.textContent = times.length ? `last event ${ago(now - Math.max(...times))}` : "no event yet";
    const recent = gap && now - gap.at < GAP_SHOWN_S;
    one.mark.hidden = !recent;
    if (recent) one.mark.textContent = `gap ${span(now - gap.at)} old`;
  }
}

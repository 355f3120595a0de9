// What several scenes ask of models: names, orders, splits.

import { FAMILIES } from "./colours.js";
import { el, put } from "./dom.js";

export const MODES = ["realistic", "oracle", "any"];
export const MODE_WORDS = {
  realistic: "Realistic: channels that a deployed detector has",
  oracle: "Oracle: with the hypervisor's own view, which no deployed detector has",
  any: "Controls: no channel at all",
};

/** family/context, and the seed where it says anything. */
export function label(model) {
  const context = model.context === "none" ? "" : `/${model.context}`;
  return `${model.family}${context}${model.seed ? ` (seed ${model.seed})` : ""}`;
}

const place = (family) => (FAMILIES.includes(family) ? FAMILIES.indexOf(family) : FAMILIES.length);

/** The same order always, so that a model keeps its place on the wall. */
export function inOrder(a, b) {
  return place(a.model.family) - place(b.model.family)
    || (a.model.family < b.model.family ? -1 : a.model.family > b.model.family ? 1 : 0)
    || (a.model.context < b.model.context ? -1 : a.model.context > b.model.context ? 1 : 0)
    || (a.model.seed ?? -1) - (b.model.seed ?? -1);
}

export function splitsOf(map) {
  return [...new Set([...map.values()].map((one) => one.model.split))].sort();
}

/** A list to choose from that keeps its choice while its entries change. */
export class Choice {
  constructor(name, changed) {
    this.select = el("select", { "aria-label": name, on: { change: () => { this.value = this.select.value; changed(); } } });
    this.node = el("label", { class: "choice" }, el("span", { text: name }), this.select);
    this.value = null;
    this.shown = "";
  }

  offer(values, preferred) {
    if (!values.includes(this.value)) this.value = values.includes(preferred) ? preferred : values[0] ?? null;
    const text = JSON.stringify([values, this.value]);
    if (text === this.shown) return this.value;
    this.shown = text;
    put(this.select, values.map((one) => el("option", { value: one, text: one, selected: one === this.value })));
    return this.value;
  }
}

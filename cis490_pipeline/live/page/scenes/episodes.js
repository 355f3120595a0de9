// Every episode that was ever received: searched, filtered, sorted and cut into pages by the server.

import { ribbon } from "../bars.js";
import { phase as phaseColour, status as statusColour } from "../colours.js";
import { el, put } from "../dom.js";
import { DASH, bytes, count, span, time } from "../format.js";
import { fillPanel, panel } from "../panel.js";

const LIMIT = 25;
const COLUMNS = [["received_at", "received"], ["host_id", "host"], ["status", "verdict"], ["profile", "profile"], ["sample_name", "sample"],
  ["duration_observed_s", "length"], ["size_bytes", "size"], ["episode_id", "episode"]];
const FILTERS = [["status", "statuses", "verdict"], ["host", "hosts", "host"], ["profile", "profiles", "profile"], ["phase", "phases", "phase"]];

export const episodes = {
  id: "episodes",
  title: "Episodes",
  make(root) {
    const asked = { search: "", status: "", host: "", profile: "", phase: "", sort: "received_at", order: "desc", offset: 0 };
    const list = panel({
      title: "Episodes", topics: ["episode", "snapshot"], wide: true,
      explains: "Every episode that was received, with the verdict of the quality gate. A click shows its phases, its windows and the reasons of the verdict.",
      waiting: "Loading …",
    });
    const one = panel({ title: "One episode", topics: ["episode"], wide: true, explains: "Its phases over time, its windows by label, and why the gate decided as it did.", waiting: "Choose one above." });
    const view = parts(list, asked, () => load());
    root.append(list.node, one.node);
    let pending = null;
    let shown = null;

    async function load() {
      pending?.abort();
      pending = new AbortController();
      const query = new URLSearchParams(Object.entries(asked).filter(([, value]) => value !== "").concat([["limit", LIMIT]]));
      try {
        const answer = await fetch(`v1/episodes?${query}`, { signal: pending.signal });
        const page = await answer.json();
        fillPanel(list);
        view.show(answer.ok ? page : null, answer.ok ? null : page.reason);
      } catch (error) {
        if (error.name !== "AbortError") { fillPanel(list); view.show(null, "The server does not answer."); }
      }
    }

    async function open(id) {
      const answer = await fetch(`v1/episodes/${encodeURIComponent(id)}`).catch(() => null);
      const found = answer ? await answer.json() : { reason: "The server does not answer." };
      fillPanel(one);
      put(one.body, answer?.ok ? details(found) : el("p", { class: "empty", text: found.reason }));
      one.node.scrollIntoView({ block: "nearest" });
    }

    let known = null;
    return {
      enter(id) { load(); if (id && id !== shown) { shown = id; open(id); } },
      focus() { view.search.focus(); view.search.select(); },
      render(state) { // what arrives is shown at once on the first page, and nowhere moved under the reader
        const now = state.totals?.episodes;
        if (known !== null && now !== known && asked.offset === 0) load();
        known = now ?? known;
      },
    };
  },
};

function parts(list, asked, load) {
  let timer = null;
  const first = () => { asked.offset = 0; load(); };
  const search = el("input", { type: "search", id: "search", placeholder: "search any word, reasons too", "aria-label": "search",
    on: { input: () => { clearTimeout(timer); timer = setTimeout(() => { asked.search = search.value.trim(); first(); }, 200); } } });
  const filters = FILTERS.map(([name, , text]) => el("select", { "aria-label": text, on: { change: (event) => { asked[name] = event.target.value; first(); } } }));
  const total = el("p", { id: "found", class: "note" });
  const heads = COLUMNS.map(([name, text]) => el("th", { scope: "col" }, el("button", { type: "button", text, on: { click: () => {
    asked.order = asked.sort === name && asked.order === "desc" ? "asc" : "desc";
    asked.sort = name;
    first();
  } } })));
  const body = el("tbody");
  const step = (by) => () => { asked.offset = Math.max(0, asked.offset + by); load(); };
  const before = el("button", { type: "button", id: "before", text: "← before", on: { click: step(-LIMIT) } });
  const after = el("button", { type: "button", id: "after", text: "after →", on: { click: step(LIMIT) } });
  list.body.append(el("div", { class: "choices" }, search, filters), total,
    el("div", { class: "scroll" }, el("table", { class: "episodes" }, el("thead", {}, el("tr", {}, heads)), body)),
    el("p", { class: "pages" }, before, after));
  return { search, show(page, fault) {
    before.disabled = asked.offset === 0;
    after.disabled = !page || asked.offset + LIMIT >= page.total;
    heads.forEach((head, place) => {
      if (COLUMNS[place][0] === asked.sort) head.setAttribute("aria-sort", asked.order === "asc" ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    if (!page) { total.textContent = fault; put(body); return; }
    const last = Math.min(asked.offset + LIMIT, page.total);
    total.textContent = page.total ? `${count(asked.offset + 1)} to ${count(last)} of ${count(page.total)} that fit; ${count(page.everything)} in all` : `None fits, of ${count(page.everything)} in all`;
    FILTERS.forEach(([name, plural, text], place) => offer(filters[place], text, page.choices[plural], asked[name]));
    put(body, page.rows.map(row));
  } };
}

function offer(select, text, choices, chosen) {
  const entries = Object.entries(choices);
  const options = entries.map(([value, n]) => el("option", { value, text: `${value} (${count(n)})`, selected: value === chosen }));
  put(select, el("option", { value: "", text: `any ${text}`, selected: chosen === "" }), options);
}

function verdict(row) {
  const name = row.status ?? "unjudged";
  return el("span", { class: "verdict" }, el("span", { class: "dot", style: { background: statusColour(row.status ?? "missing") } }), document.createTextNode(name));
}

function row(one) {
  const link = el("a", { href: `#/episodes/${encodeURIComponent(one.episode_id)}`, text: one.episode_id });
  const cells = [time(one.received_at), one.host_id, verdict(one), one.profile ?? DASH, one.sample_name ?? DASH, span(one.duration_observed_s), bytes(one.size_bytes), link];
  return el("tr", {}, cells.map((cell) => (cell instanceof Node ? el("td", {}, cell) : el("td", { text: cell }))));
}

function details({ row: one, end_s: end, transitions, windows }) {
  const reasons = [...one.reasons, ...one.soft_reasons];
  const steps = transitions.map((step, place) => ({ from: step.t_s, to: transitions[place + 1]?.t_s ?? end ?? step.t_s, colour: phaseColour(step.phase), name: `${step.phase} from ${step.t_s} s` }));
  const labelled = windows.map((w) => ({ from: w.t_center_s - 2.5, to: w.t_center_s + 2.5, colour: phaseColour(w.phase), name: `window ${w.window}: ${w.phase ?? "no phase"}, purity ${w.label_purity}` }));
  const to = end ?? Math.max(1, ...windows.map((w) => w.t_center_s + 5));
  return [
    el("h3", { id: "episode", text: one.episode_id }),
    el("p", {}, verdict(one), document.createTextNode(` · ${one.host_id} · ${one.profile ?? "profile not known"} · ${one.sample_name ?? "sample not known"} · ${time(one.received_at)}`)),
    reasons.length ? el("ul", { class: "reasons" }, reasons.map((text) => el("li", { text }))) : el("p", { class: "note", text: one.status === null ? "Not judged yet." : "The gate has nothing to say against it." }),
    steps.length ? el("div", { class: "lane" }, el("span", { text: "phases" }), ribbon(steps, { from: 0, to, label: "phases" })) : null,
    windows.length ? el("div", { class: "lane" }, el("span", { text: "windows" }), ribbon(labelled, { from: 0, to, label: "windows by label" })) : null,
    steps.length ? el("ol", { class: "transitions" }, transitions.map((step) => el("li", { text: `${step.t_s.toFixed(1)} s ${step.phase}` }))) : null,
    el("p", { class: "note" }, document.createTextNode("sha256 "), el("code", { text: one.sha256 })),
  ];
}

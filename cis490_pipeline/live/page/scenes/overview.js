// What is in the store, how fast it grows, who ships, and whether anything lags behind.

import { el, put, table } from "../dom.js";
import { DASH, ago, bytes, count, plural, rate, share, time } from "../format.js";
import { fillPanel, panel } from "../panel.js";
import { bars } from "../bars.js";

const NEWEST = 14;

export const overview = {
  id: "overview",
  title: "Overview",
  make(root) {
    const totals = panel({
      title: "In the store", topics: ["snapshot", "episode", "alert"], wide: true,
      explains: "Recorded episodes of virtual machines that the lab has received so far.",
      waiting: "Waiting for the first look at the store's index.",
    });
    const arrivals = panel({
      title: "Arrivals in the last hour", topics: ["snapshot"],
      explains: "Episodes received in each of the last 60 minutes; the right edge is now.",
      waiting: "Waiting for the first look at the store's index.",
    });
    const hosts = panel({
      title: "Hosts", topics: ["snapshot", "episode"],
      explains: "The machines that ship episodes, and when each shipped its last.",
      waiting: "Nobody has shipped anything yet.",
    });
    const newest = panel({
      title: "Newest episodes", topics: ["episode", "snapshot"],
      explains: "The last ones to arrive, the newest first.",
      waiting: "Nobody has shipped anything yet.",
    });
    newest.node.classList.add("tall");
    root.append(totals.node, arrivals.node, newest.node, hosts.node);
    return { render: (state) => {
      renderTotals(totals, state);
      renderArrivals(arrivals, state);
      renderHosts(hosts, state);
      renderNewest(newest, state);
    } };
  },
};

function tile(id, value, name, note, alarming = false) {
  return el("div", { class: alarming ? "tile alarming" : "tile", id },
    el("span", { class: "big", text: value }), el("span", { class: "name", text: name }),
    el("span", { class: "note", text: note }));
}

function renderTotals(made, state) {
  fillPanel(made, state.totals !== null);
  if (!state.totals) return;
  const { episodes, bytes: size } = state.totals;
  const hour = state.arrivals?.reduce((sum, one) => sum + one, 0);
  const { damage, behind } = state.index ?? {};
  put(made.body, el("div", { class: "tiles" },
    tile("total-episodes", count(episodes), "episodes", `from ${plural(state.hosts.size, "host")}`),
    tile("total-bytes", bytes(size), "compressed", episodes ? `${bytes(size / episodes)} an episode` : "no episode yet"),
    tile("hour", count(hour), "in the last hour", hour === undefined ? "not known yet" : `${rate(hour / 60)} a minute`),
    tile("total-alerts", count(state.nAlerts), "alerts", state.nAlerts ? "see the scene Alerts" : "nothing to report", state.nAlerts > 0),
    tile("behind", behind === undefined ? DASH : behind === 0 ? "none" : bytes(behind), "lag of the index",
      behind ? "rows that are written and not read yet" : "every row is read", behind > 0),
    tile("damage", count(damage), "damaged rows", damage ? "lines of the index that are no rows" : "the index is whole", damage > 0)));
}

function renderArrivals(made, state) {
  fillPanel(made, state.arrivals !== null);
  if (!state.arrivals) return;
  const most = Math.max(...state.arrivals);
  put(made.body, bars(state.arrivals, { label: (n, place) => `${n} episodes, ${state.arrivals.length - 1 - place} min ago` }),
    el("p", { class: "ends" }, el("span", { text: "60 min ago" }), el("span", { text: most ? `highest bar: ${count(most)}` : "nothing arrived" }), el("span", { text: "now" })));
}

function renderHosts(made, state) {
  const hosts = [...state.hosts].sort((a, b) => b[1].episodes - a[1].episodes || (a[0] < b[0] ? -1 : 1));
  fillPanel(made, hosts.length > 0);
  const now = Date.now() / 1000;
  const total = state.totals?.episodes;
  put(made.body, table(["host", "episodes", "share", "size", "last episode"], hosts.map(([host, one]) => [
    host, count(one.episodes), share(total ? one.episodes / total : null), bytes(one.bytes),
    one.last === null ? "before the newest 200" : ago(now - one.last)]), { class: "hosts" }));
}

function renderNewest(made, state) {
  fillPanel(made, state.episodes.length > 0);
  put(made.body, table(["received", "host", "size", "episode"], state.episodes.slice(0, NEWEST).map((one) => [
    time(one.received_at), one.host_id, bytes(one.size_bytes),
    el("a", { href: `#/episodes/${encodeURIComponent(one.episode_id)}`, text: one.episode_id })]), { class: "newest" }));
}

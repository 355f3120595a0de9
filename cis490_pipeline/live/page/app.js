// The page: one stream, one state, nine scenes. See EVENTS.md for what is heard.

import { el, put } from "./dom.js";
import { count, time } from "./format.js";
import { renewAges } from "./panel.js";
import { newState, take } from "./state.js";
import { listen } from "./stream.js";
import { alerts } from "./scenes/alerts.js";
import { episodes } from "./scenes/episodes.js";
import { models } from "./scenes/models.js";
import { overview } from "./scenes/overview.js";
import { performance as cost } from "./scenes/performance.js";
import { phases } from "./scenes/phases.js";
import { profiles } from "./scenes/profiles.js";
import { replay } from "./scenes/replay.js";
import { shadow } from "./scenes/shadow.js";

const SCENES = [overview, phases, replay, models, profiles, cost, shadow, episodes, alerts];
const PAUSE_MS = 20000;
const SIZES = [1, 0.9, 0.8, 0.7, 0.6, 0.5];
const DRAW_MS = 250;
const WORDS = { open: "live", waiting: "reconnecting …", lost: "not connected, trying again …", connecting: "connecting …" };
const REASONS = { restart: "the server was started anew", ring: "this page was away for longer than the server remembers", slow: "this page was too slow" };

const state = newState();
const main = document.getElementById("main");
const made = new Map();
let current = null;
let drawn = -1;
let turning = null;

function scene(id) {
  const found = SCENES.find((one) => one.id === id) ?? SCENES[0];
  if (!made.has(found.id)) {
    const root = el("div", { class: "scene", id: `scene-${found.id}` });
    made.set(found.id, { root, ...found.make(root, () => draw(true)) });
  }
  return [found, made.get(found.id)];
}

function go() {
  const [, id = "", ...rest] = location.hash.split("/");
  const [found, parts] = scene(id);
  current = found.id;
  if (main.firstChild !== parts.root) put(main, parts.root);
  for (const link of document.querySelectorAll("#scenes a")) {
    if (link.dataset.scene === current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${found.title} · cis490 live`;
  parts.enter?.(rest.length ? decodeURIComponent(rest.join("/")) : null);
  fit();
}

function draw(anyway = false) {
  if (!anyway && drawn === state.version) return;
  drawn = state.version;
  made.get(current)?.render(state);
  renewAges(state);
}

function tell(connection) {
  state.connection = connection;
  const node = document.getElementById("connection");
  node.textContent = WORDS[connection];
  node.dataset.state = connection;
}

function tellGap() {
  const gap = state.gaps[0];
  const node = document.getElementById("gap");
  node.hidden = !gap || Date.now() / 1000 - gap.at > 120;
  if (node.hidden) return;
  const missed = gap.missed === null ? "" : ` (up to ${count(gap.missed)} events)`;
  node.textContent = `Gap at ${time(gap.at).slice(11)}: ${REASONS[gap.reason] ?? gap.reason}${missed}. Totals are right; what happened in between may be missing in replays.`;
}

function step(by) {
  const place = SCENES.findIndex((one) => one.id === current);
  location.hash = `#/${SCENES[(place + by + SCENES.length) % SCENES.length].id}`;
}

function turn(on) {
  clearInterval(turning);
  turning = on ? setInterval(() => step(1), PAUSE_MS) : null;
  document.body.classList.toggle("turning", on);
}

const isStage = () => document.body.classList.contains("stage");
const isCut = () => document.documentElement.scrollHeight > innerHeight;

/** On a wall nobody scrolls: show a scene as small as it takes to see it whole. */
function fit() {
  for (const size of isStage() ? SIZES : [1]) {
    main.style.zoom = size;
    if (!isCut()) break;
  }
  draw(true);
}

async function stage() {
  const on = !isStage();
  document.body.classList.toggle("stage", on);
  turn(on);
  if (on) await document.documentElement.requestFullscreen?.().catch(() => {});
  else if (document.fullscreenElement) await document.exitFullscreen();
  fit();
}

function theme() {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", document.documentElement.dataset.theme);
  draw(true);
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const keys = document.getElementById("keys");
  const place = Number(event.key) - 1;
  if (SCENES[place]) location.hash = `#/${SCENES[place].id}`;
  else if (event.key === "ArrowRight") step(1);
  else if (event.key === "ArrowLeft") step(-1);
  else if (event.key === "f") stage();
  else if (event.key === "t") theme();
  else if (event.key === "?") (keys.open ? keys.close() : keys.showModal());
  else if (event.key === " " && isStage()) turn(turning === null);
  else if (event.key === "/") { location.hash = "#/episodes"; setTimeout(() => scene("episodes")[1].focus(), 0); }
  else return;
  event.preventDefault();
}

const kept = localStorage.getItem("theme");
if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
put(document.getElementById("scenes"), SCENES.map((one, place) => el("a", { href: `#/${one.id}`, "data-scene": one.id, title: `key ${place + 1}`, text: one.title })));
document.getElementById("stage").addEventListener("click", stage);
document.getElementById("theme").addEventListener("click", theme);
document.getElementById("help").addEventListener("click", () => document.getElementById("keys").showModal());
document.addEventListener("keydown", press);
document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement && isStage()) stage(); });
addEventListener("hashchange", go);
addEventListener("resize", fit);
go();
listen((message) => { take(state, message); if (message.topic === "gap") { tellGap(); draw(); } }, tell);
setInterval(draw, DRAW_MS);
setInterval(() => { renewAges(state); tellGap(); if (isStage() && isCut()) fit(); }, 1000);

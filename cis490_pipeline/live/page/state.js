// What the page knows, from messages alone. Totals are those of the newest message that has any;
// nothing is counted here.

const RECENT = 200;
const ALERTS = 300;
const REPLAYS = 8;
const POINTS = 5000;

export function newState() {
  return {
    connection: "connecting",
    server: null,
    snapshotSeq: 0,
    skew: 0, // this clock minus the hub's, seconds
    gaps: [], // {at, reason, missed}, the newest first
    heard: {}, // topic → time (this clock) of its last message
    totals: null, // {episodes, bytes}
    hosts: new Map(), // host → {episodes, bytes, last}
    arrivals: null,
    index: null, // {damage, behind}
    episodes: [],
    alerts: [],
    nAlerts: null,
    mix: null,
    replays: new Map(), // key → replay, the newest last
    models: new Map(),
    perf: new Map(),
    profiles: new Map(),
    shadow: new Map(),
    version: 0,
  };
}

const modelKey = (model) => [model.split, model.family, model.mode, model.context, model.seed].join("\u0000");

const READ = {
  hello(state, data, message) {
    state.skew = Date.now() / 1000 - message.at;
    if (data.server !== state.server) state.snapshotSeq = 0;
    state.server = data.server;
  },
  heartbeat() {},
  gap(state, data) {
    state.gaps.unshift({ at: Date.now() / 1000, reason: data.reason, missed: data.missed });
    state.gaps.length = Math.min(state.gaps.length, 20);
    if (data.reason === "restart") for (const one of state.replays.values()) one.broken = true;
  },
  snapshot(state, data, message) {
    state.snapshotSeq = message.seq;
    state.totals = { episodes: data.total_episodes, bytes: data.total_bytes };
    state.nAlerts = data.total_alerts;
    const before = state.hosts;
    state.hosts = new Map(Object.entries(data.host_counts).map(([host, episodes]) => [
      host, { episodes, bytes: data.host_bytes[host] ?? null, last: before.get(host)?.last ?? null }]));
    state.episodes = data.recent_episodes.slice(0, RECENT);
    for (const one of data.recent_episodes) seenLast(state, one);
    state.alerts = data.recent_alerts.slice(0, ALERTS);
    state.arrivals = data.arrivals;
    state.index = { damage: data.index_damage, behind: data.bytes_behind };
  },
  episode(state, data, message) {
    if (message.seq < state.snapshotSeq) return; // the snapshot has it
    state.totals = { episodes: data.total_episodes, bytes: data.total_bytes };
    const host = state.hosts.get(data.host_id) ?? { episodes: 0, bytes: null, last: null };
    state.hosts.set(data.host_id, { ...host, episodes: data.host_episodes });
    const from = data.moved_from;
    if (from && from.episodes === 0) state.hosts.delete(from.host_id);
    else if (from) state.hosts.set(from.host_id, { ...state.hosts.get(from.host_id), episodes: from.episodes });
    seenLast(state, data);
    state.episodes = [data, ...state.episodes.filter((one) => one.episode_id !== data.episode_id)].slice(0, RECENT);
  },
  alert(state, data, message) {
    if (message.seq < state.snapshotSeq) return;
    state.nAlerts = data.total_alerts;
    state.alerts = [data, ...state.alerts.filter((one) => one.dedup_key !== data.dedup_key)].slice(0, ALERTS);
  },
  phase_mix(state, data) { state.mix = data; },
  model_metric(state, data) {
    if (data.model.seed !== null) { // a family that was not fitted is one no longer
      for (const [key, one] of state.models) {
        const same = one.model.split === data.model.split && one.model.family === data.model.family && one.model.mode === data.model.mode;
        if (same && one.model.seed === null) state.models.delete(key);
      }
    }
    state.models.set(modelKey(data.model), data);
  },
  model_perf(state, data) { state.perf.set(`${modelKey(data.model)}\u0000${data.machine}`, data); },
  profile(state, data) { state.profiles.set(modelKey(data.model), data); },
  shadow(state, data) { state.shadow.set(data.host_id, data); },
  phase(state, data) { for (const one of replaysOf(state, data)) one.truth.push({ t: data.t_s, phase: data.phase }); },
  prediction(state, data) {
    const one = replay(state, data);
    if (one.predictions.length < POINTS) one.predictions.push(data);
    if (data.alarm && one.alarm === null) one.alarm = data.verdict_s;
  },
  embedding(state, data) {
    const one = replay(state, data);
    if (one.trail.length < POINTS) one.trail.push(data);
  },
};

function seenLast(state, episode) {
  const host = state.hosts.get(episode.host_id);
  if (host && episode.received_at !== null) host.last = Math.max(host.last ?? 0, episode.received_at);
}

function replay(state, data) {
  const key = `${data.replay}\u0000${modelKey(data.model)}`;
  let one = state.replays.get(key);
  if (!one) {
    const truth = [...state.replays.values()].find((other) => other.replay === data.replay)?.truth ?? pending(state, data);
    one = { key, replay: data.replay, episode: data.episode_id, host: data.host_id, model: data.model, truth, predictions: [], trail: [], alarm: null, broken: false };
    state.replays.set(key, one);
    while (state.replays.size > REPLAYS) state.replays.delete(state.replays.keys().next().value);
  }
  return one;
}

/** Truth can come before the first prediction of its replay: kept until then. */
function pending(state, data) {
  state.waiting ??= new Map();
  if (!state.waiting.has(data.replay)) state.waiting.set(data.replay, []);
  while (state.waiting.size > REPLAYS) state.waiting.delete(state.waiting.keys().next().value);
  return state.waiting.get(data.replay);
}

function replaysOf(state, data) {
  const found = [...state.replays.values()].find((one) => one.replay === data.replay);
  return [found ?? { truth: pending(state, data) }];
}

/** Take a message in. */
export function take(state, message) {
  const read = READ[message.topic];
  if (!read) return; // a newer hub may know more
  read(state, message.data, message);
  if (message.topic !== "hello" && message.topic !== "gap") state.heard[message.topic] = message.at + state.skew;
  state.version += 1;
}

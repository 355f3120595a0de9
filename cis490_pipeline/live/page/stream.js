// One connection to the hub: goes on behind the last message, hears gaps, never gives up.
// The contract is EVENTS.md beside the server's code.

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30000;
const STATE = new Set(["snapshot", "phase_mix", "model_metric", "model_perf", "profile", "shadow"]);
const CONTROL = new Set(["hello", "gap", "heartbeat"]);

/**
 * Listen for good. `hear(message)` gets every event and control message once;
 * `tell(state)` gets "open", "waiting" or "lost".
 */
export function listen(hear, tell) {
  const seen = { id: null, server: null, seq: 0 };
  let wait = FIRST_WAIT_MS;
  let silence = null;

  const open = () => {
    const query = seen.id === null ? "" : `?since=${encodeURIComponent(seen.id)}`;
    const source = new EventSource(`v1/events${query}`);
    let heartbeat = 10;

    const watch = () => {
      clearTimeout(silence);
      silence = setTimeout(() => { source.close(); again(); }, 3000 * heartbeat);
    };
    const again = () => {
      clearTimeout(silence);
      tell("lost");
      setTimeout(open, wait);
      wait = Math.min(2 * wait, LONGEST_WAIT_MS);
    };
    watch();
    source.onopen = () => { wait = FIRST_WAIT_MS; tell("open"); };
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) again();
      else tell("waiting"); // the browser tries again by itself, with the last id
    };
    source.onmessage = (event) => {
      watch();
      if (event.lastEventId) seen.id = event.lastEventId;
      const message = JSON.parse(event.data);
      if (message.topic === "hello") {
        heartbeat = Math.max(1, message.data.heartbeat_s);
        if (message.data.server !== seen.server) { seen.server = message.data.server; seen.seq = 0; }
      }
      if (isNew(message, seen)) hear(message);
    };
  };
  open();
}

/** What was heard before comes again after a reconnect: only state may. */
function isNew(message, seen) {
  if (CONTROL.has(message.topic) || STATE.has(message.topic)) return true;
  if (message.seq <= seen.seq) return false;
  seen.seq = message.seq;
  return true;
}

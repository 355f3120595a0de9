"""The sentences of the contract page that no type says.

Not here: the tables (``contract``).
"""

from typing import Final

PAGE_HEAD: Final = """
# The live stream: what is sent, and what may be sent

Generated from `events.py` and `wire.py` by `python -m cis490_pipeline.live.contract`; a test
compares. Schema version {version}, as a file: `schema/events.schema.json`, served as
`/v1/events.schema.json`.

## Listening

`GET /v1/events` answers with server-sent events (`text/event-stream`). Nothing flows back, so a
WebSocket would gain nothing: this is plain HTTP, which proxies, passwords and TLS treat like every
page; a browser reconnects by itself and says in `Last-Event-ID` what it had last; and
`curl -N http://127.0.0.1:8491/v1/events` is a listener. One message is one event of the stream,
without an `event:` field, so that one `onmessage` sees them all:

```
id: 9f2c61d07b1e4a35-1042
data: {{"topic":"episode","seq":1042,"at":1795322672.1,"producer":null,"data":{{…}}}}
```

| field | meaning |
| --- | --- |
| `topic` | what it is about; a topic that one does not know is passed over |
| `seq` | position in this run of the hub, counting up; null in control messages |
| `at` | Unix seconds at which the hub had it |
| `producer` | whose token it was published with; null where the hub made it |
| `data` | the event |

What comes, in this order:

1. `hello`.
2. `gap`, where `since` (below) names something that the hub no longer remembers.
3. The newest event of every key of every state topic, in the order of `seq`, without an id.
4. All stream events after `since` that the hub remembers (without `since`: all that it remembers,
   some thousands), then what happens from now on. State events come in between, as they change.

`?since=<id>` goes on behind the last message that one had; `Last-Event-ID`, which browsers send
when they reconnect, means the same and counts more. An id of another run of the hub gives a `gap`
with the reason `restart`. Whoever reads more slowly than events come is first spared superseded
state events (hence numbers that are missing are no loss), and gets a `gap` with the reason `slow`
once the hub no longer holds what follows; after a gap the state is sent again. Ids are opaque:
keep them, compare `seq`.

A listener should: drop messages whose `seq` is not above the highest of the same `server` that it
has (except state), take totals from the newest of `episode`, `alert` and `snapshot` and never count
for itself, show a gap where one is announced, and open the stream anew with the last id where it
ends for good (an `EventSource` does not try again after 503: too many listeners, `Retry-After` says
when). Browsers allow six connections to one server over HTTP/1.1: one stream a page. All texts are
data: a host, an alert or a profile can be called `<img onerror=…>`.

## Beside the stream

- `GET /v1/episodes`: a page of the table of all episodes, judged or not: `rows`, `offset`, `total`
  (that fit), `everything` (there are), and `choices` (`hosts`, `profiles`, `phases`, `statuses`:
  value to number of episodes)
- `GET /v1/episodes/{{id}}`: one of them: the same `row`, and of an accepted one `end_s`,
  `transitions` (`t_s`, `phase`) and `windows` (`window`, `t_center_s`, `phase`, `label_purity`)
- `GET /v1/health`: the run of the hub and its feeders: `condition` (starting, feeding, waiting,
  failed), `runs`, `failures`, `succeeded_at`
- `GET /metrics`: counters for Prometheus
- `GET /v1/events.schema.json`, `GET /v1/openapi.json`: this as JSON schema, all requests as OpenAPI

`/v1/episodes` takes `search` (any word of a row, reasons too), `host`, `profile`, `phase` (was
observed), `status` (`unjudged` for no verdict yet), `sort` (`received_at`, `episode_id`, `host_id`,
`size_bytes`, `status`, `profile`, `sample_name`, `duration_observed_s`), `order` (`asc`, `desc`),
`offset` and `limit` (at most 200). What is not known stands last in either order. A row:
`episode_id, host_id, sha256, size_bytes, received_at, status, reasons, soft_reasons, profile,
sample_name, sample_kind, duration_observed_s, phases`; null where there is no verdict.

Refusals are JSON with `error` (a word) and `reason` (a sentence). Names that the server does not go
by (`--name`) get 421, pages of another origin 403.

## Publishing

`POST /v1/events` with `Authorization: Bearer TOKEN` (`cis490 live --add-producer NAME`) and

```
{{"schema_version": {version}, "events": [{{"topic": "model_perf", "data": {{…}}}}, …]}}
```

of 1 to {most} events and at most a megabyte. All of them are taken (202, `{{"accepted": 2}}`) or
none: 422 names the `index` of the event that is not as described here, and the reason. Unknown
fields are dropped, not passed on. `cis490_pipeline.live.publisher` does this with the standard
library alone, with a bounded queue, and never blocks.
"""

CONTROL_HEAD: Final = "## Control messages"

EVENTS_HEAD: Final = """
## Events

*Stream* events are delivered one by one and in order. Of *state* events only the newest of a key
counts: the key is the topic alone (`snapshot`, `phase_mix`) or the topic and the `model`
(`model_metric`, `profile`), with the `machine` beside it (`model_perf`), or the topic and the
`host_id` (`shadow`).
"""

SHARED_HEAD: Final = "## What events are made of"

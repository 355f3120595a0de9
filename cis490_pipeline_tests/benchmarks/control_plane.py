"""The control plane at scale: ``python -m cis490_pipeline_tests.benchmarks.control_plane``.

50 hosts, 63 splits, every model asset of 20 of them with a past of ten materializations. A real
webserver and daemon on loopback; the queries are those that the UI's own pages send, recorded in
Chromium and asked again one at a time; then one backfill of all hosts.

In: nothing, or a directory with room. Out: a table for people and a JSON file. Not here: anything
that CI decides by but content (``test_control_plane``).
"""

import json
import shutil
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from cis490_pipeline_tests.benchmarks.budgets import BenchmarkError
from cis490_pipeline_tests.benchmarks.control_plane_pages import Asked, Recorder, Visit
from cis490_pipeline_tests.benchmarks.control_plane_servers import Servers, servers
from cis490_pipeline_tests.benchmarks.control_plane_world import (
    FULL,
    INGEST,
    QUICK,
    Size,
    World,
    make_world,
)
from cis490_pipeline_tests.benchmarks.machine import load, machine_facts
from cis490_pipeline_tests.end_to_end.conftest import wait_until

FORMAT_VERSION: Final = 1
_LAUNCH: Final = """mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(
    backfillParams: $p) { __typename ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message } } }"""
_STATUS: Final = """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status error { message } runs(limit: 100) {
    runId status startTime endTime } } } }"""
_LARGEST_RUN: Final = """{ runsOrError(limit: 1, filter: { pipelineName: "full_split" }) {
    ... on Runs { results { runId } } } }"""
_OVER: Final = {"COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An operation of a page, asked one at a time; times in milliseconds.

    ``cpu_ms`` is processor time of webserver and code server per answer, which a busy machine
    changes less than it changes the times.
    """

    operation: str
    p50_ms: float
    p95_ms: float
    cpu_ms: float
    response_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of the UI, as a person waits for it, and its slowest operations."""

    page: str
    content_s: float
    operations: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """All hosts in one go: from the click to its end, and the time of its runs alone."""

    hosts: int
    status: str
    runs: int
    wall_s: float
    run_s: float
    webserver_rss_bytes: int
    daemon_rss_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Everything that a run came to."""

    world: Mapping[str, int]
    load_before: float
    load_after: float
    location_wall_s: float
    location_cpu_s: float
    idle_rss_bytes: Mapping[str, int]
    home_bytes: int
    pages: tuple[Page, ...]
    backfill: Backfill


def pages_of(world: World, run_id: str) -> Iterator[tuple[str, str]]:
    """Yield the pages that people open, with their addresses."""
    split, host = quote(world.past_splits[0]), world.hosts[0]
    model = "/assets/model/gbt/realistic"
    yield "global asset graph", "/asset-groups"
    yield "catalog", "/assets"
    yield (
        "partitions of a host's asset",
        f"/assets/window_features?view=partitions&partition={host}",
    )
    yield "partitions of a model", f"{model}?view=partitions&partition={split}"
    yield "a model's overview", model
    yield "a model's events", f"{model}?view=events"
    yield "runs", "/runs"
    yield "a run with its log", f"/runs/{run_id}"
    yield "jobs", "/jobs"
    yield "sensor", "/locations/cis490_pipeline/sensors/new_episodes"


def measure(world: World, size: Size, browser: str, say: Callable[[str], None]) -> Measured:
    """Start the servers, open the pages, ask their questions again, backfill all hosts."""
    before = load()
    with servers(world.settings) as running:
        say(f"code location loaded in {running.started_wall_s:.1f} s")
        pages = tuple(_pages(running, world, size, browser, say))
        # not sooner: a daemon that has just been started has not loaded anything yet
        idle = {"webserver": running.webserver.rss_bytes(), "daemon": running.daemon.rss_bytes()}
        backfill = run_backfill(running, world, say)
        return Measured(
            world=_counts(world),
            load_before=before,
            load_after=load(),
            location_wall_s=running.started_wall_s,
            location_cpu_s=running.started_cpu_s,
            idle_rss_bytes=idle,
            home_bytes=_bytes_below(world.settings.dagster_home),
            pages=pages,
            backfill=backfill,
        )


def _counts(world: World) -> dict[str, int]:
    return {
        "hosts": len(world.hosts),
        "splits": world.registered_splits,
        "splits_with_a_past": len(world.past_splits),
        "materializations": world.events,
        "runs": world.runs,
    }


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _pages(
    running: Servers, world: World, size: Size, browser: str, say: Callable[[str], None]
) -> Iterator[Page]:
    run_id = running.client.ask(_LARGEST_RUN)["runsOrError"]["results"][0]["runId"]
    with Recorder(browser) as recorder:
        visits = [
            recorder.record(name, running.address + path) for name, path in pages_of(world, run_id)
        ]
    for visit in visits:
        answers = [replayed(running, one, size.repetitions) for one in _once(visit)]
        slowest = sorted(answers, key=lambda one: -one.p50_ms)
        say(f"{visit.page}: {visit.content_s:.1f} s, {len(answers)} operations")
        yield Page(
            page=visit.page,
            content_s=visit.content_s,
            operations=len(answers),
            answers=tuple(slowest),
        )


def _once(visit: Visit) -> list[Asked]:
    """Return each operation of a page once: what it polls for is not asked twice."""
    return list({one.operation: one for one in visit.asked}.values())


def replayed(running: Servers, asked: Asked, repetitions: int) -> Answer:
    """Ask one operation again and again, one at a time, after one answer that is not counted."""
    body = json.dumps(asked.body).encode()
    size = _post(running.address, body, asked.operation)
    before, taken = running.webserver.cpu_s(), []
    for _ in range(repetitions):
        began = time.monotonic()
        _post(running.address, body, asked.operation)
        taken.append((time.monotonic() - began) * 1000)
    cpu_ms = (running.webserver.cpu_s() - before) * 1000 / repetitions
    return Answer(
        operation=asked.operation,
        p50_ms=statistics.median(taken),
        p95_ms=sorted(taken)[round(0.95 * (len(taken) - 1))],
        cpu_ms=cpu_ms,
        response_bytes=size,
    )


def _post(address: str, body: bytes, operation: str) -> int:
    kind = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/graphql", body, kind, method="POST")
    with urllib.request.urlopen(request, timeout=300) as answer:
        read = answer.read()
    found = json.loads(read)
    if found.get("errors") or not found.get("data"):
        raise BenchmarkError(f"{operation} was refused: {str(found)[:500]}")
    return len(read)


def run_backfill(running: Servers, world: World, say: Callable[[str], None]) -> Backfill:
    """Backfill the ingest assets of all hosts, as the UI's dialog does."""
    began = time.monotonic()
    chosen = [{"path": [name]} for name in INGEST]
    parameters = {"assetSelection": chosen, "partitionNames": list(world.hosts)}
    launched = running.client.ask(_LAUNCH, p=parameters)["launchPartitionBackfill"]
    if launched["__typename"] != "LaunchBackfillSuccess":
        raise BenchmarkError(f"no backfill: {launched}")

    def ended() -> dict[str, Any] | None:
        found = running.client.ask(_STATUS, id=launched["backfillId"])["partitionBackfillOrError"]
        return found if found["status"] in _OVER else None

    found = wait_until(ended, seconds=3600, what="the backfill ends")
    wall_s = time.monotonic() - began
    if found["error"]:
        raise BenchmarkError(f"the backfill failed: {found['error']['message'][:500]}")
    run_s = sum((one["endTime"] or 0) - (one["startTime"] or 0) for one in found["runs"])
    say(f"backfill of {len(world.hosts)} hosts: {len(found['runs'])} run(s), {wall_s:.0f} s")
    return Backfill(
        hosts=len(world.hosts),
        status=found["status"],
        runs=len(found["runs"]),
        wall_s=wall_s,
        run_s=run_s,
        webserver_rss_bytes=running.webserver.rss_bytes(),
        daemon_rss_bytes=running.daemon.rss_bytes(),
    )


def tables(found: Measured) -> str:
    """Return the figures for a page, in Markdown."""
    rows = [
        "| page | until it stands | operations | slowest operation | p50 | p95 | CPU | answer |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for page in found.pages:
        for number, one in enumerate(page.answers[:2]):
            head = (page.page, f"{page.content_s:.1f} s", str(page.operations))
            cells = [
                *(head if number == 0 else ("", "", "")),
                f"`{one.operation}`",
                f"{one.p50_ms:.0f} ms",
                f"{one.p95_ms:.0f} ms",
                f"{one.cpu_ms:.0f} ms",
                f"{one.response_bytes / 1000:.0f} kB",
            ]
            rows.append("| " + " | ".join(cells) + " |")
    return "\n".join([*rows, "", *_sentences(found)])


def _sentences(found: Measured) -> Sequence[str]:
    backfill, world = found.backfill, found.world
    idle = " and ".join(f"{n} {b / 1e6:.0f} MB" for n, b in found.idle_rss_bytes.items())
    return (
        f"- {world['hosts']} hosts, {world['splits']} splits ({world['splits_with_a_past']} with "
        f"a past), {world['materializations']:,} materializations in {world['runs']:,} runs: "
        f"Dagster's home {found.home_bytes / 1e6:.0f} MB.",
        f"- The webserver answers with the definitions loaded after {found.location_wall_s:.1f} s "
        f"({found.location_cpu_s:.1f} s of processor time); after the pages, with code servers: "
        f"{idle}.",
        f"- Backfill of {backfill.hosts} hosts: {backfill.status}, {backfill.runs} run, "
        f"{backfill.run_s:.0f} s of run, {backfill.wall_s:.0f} s from the click to its end; then "
        f"webserver {backfill.webserver_rss_bytes / 1e6:.0f} MB, daemon "
        f"{backfill.daemon_rss_bytes / 1e6:.0f} MB.",
        f"- Load of the machine: {found.load_before:.1f} before, {found.load_after:.1f} after.",
    )


def chromium_path() -> str:
    """Return the browser's program.

    Raises
    ------
    BenchmarkError
        Where there is none.
    """
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise BenchmarkError("no chromium on this machine: apt-get install chromium")
    return found


@click.command()
@click.option("--quick", is_flag=True, help="Few hosts: shows that it runs, not what it costs.")
@click.option(
    "--json",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("control-plane.json"),
    show_default=True,
    help="Where the figures go.",
)
@click.option(
    "--work-dir",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    default=None,
    help="Where the installation is made and removed again; about 1 GB.",
)
def main(target: Path, work_dir: Path | None, *, quick: bool) -> None:
    """Measure Dagster's side of a large installation."""
    size, say = QUICK if quick else FULL, partial(click.echo, err=True)
    root = Path(tempfile.mkdtemp(prefix="cis490-control-", dir=work_dir))
    browser = chromium_path()
    try:
        found = measure(make_world(root, size, say), size, browser, say)
    finally:
        shutil.rmtree(root)
    written = {
        "format_version": FORMAT_VERSION,
        "machine": machine_facts(),
        "quick": quick,
        "size": asdict(size),
        **asdict(found),
    }
    target.write_text(json.dumps(written, indent=1) + "\n", "utf-8")
    click.echo(tables(found))
    sys.stdout.flush()


if __name__ == "__main__":
    main()

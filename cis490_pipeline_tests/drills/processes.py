"""Dagster's processes are killed during ingest and training, and everything ends as if nothing had.

``python -m cis490_pipeline_tests.drills.processes`` kills the step, the run's worker, the daemon,
the webserver and all at once, one after the other, in both kinds of work, under a real webserver
and daemon. A killed worker's step is kept alive until the retry of its run stands waiting for it.

Not here: the servers (``installation``), the work (``scenes``), deaths inside an ingest or a
compaction (``kills``).
"""

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import dagster as dg

from cis490_pipeline_tests.deploy.door import free_port
from cis490_pipeline_tests.drills.aftermath import check_end
from cis490_pipeline_tests.drills.installation import Installation, installed, wait_for
from cis490_pipeline_tests.drills.scenes import (
    FAILURE,
    HOST_OF,
    Calm,
    Ingest,
    Training,
    build_store,
    calm_of,
    ingested,
)

VICTIMS: Final = tuple(HOST_OF)
WORK: Final = {"ingest": Ingest, "training": Training}
Scene = Ingest | Training
_SERVERS: Final = ("daemon", "webserver")


def play(here: Installation, calm: Calm, work: str, victims: Sequence[str]) -> list[str]:
    """Have each victim die in a run of its own, and let all runs come to their end.

    Returns
    -------
    list of str
        A line for each victim: how its run ended, and which one brought the work home.

    Raises
    ------
    AssertionError
        Where a run hangs, work is lost or done twice, or a result differs from an undisturbed one.
    """
    if work == "training":
        ingested(here.store, here.data)  # of every host, whichever have been victims
    scenes = [WORK[work](here, calm, victim) for victim in victims]
    try:
        wait_for(lambda: _all_held(scenes), f"{work} under way", pause_s=0.01)
        last = {scene.victim: _killed(here, scene) for scene in scenes}
        dead = [name for name in _SERVERS if name in victims]
        for name in dead:
            here.kill(name)
        for scene in scenes:
            scene.let_go()
        for scene in scenes:
            if scene.victim in dead:  # the run does not need it
                _wait_for_end(here, scene.run_id)
        here.start(*dead)
        for run_id in last.values():
            _wait_for_end(here, run_id)
    finally:
        for scene in scenes:
            scene.let_go()
    for scene in scenes:
        scene.check(last[scene.victim])
    return [_told(here, work, scene, last[scene.victim]) for scene in scenes]


def _all_held(scenes: Sequence[Scene]) -> bool:
    held = [scene.is_held() for scene in scenes]  # asks every one: some are stopped by the question
    return all(held)


def _killed(here: Installation, scene: Scene) -> str:
    """Kill what is not a server; return the run that is to bring the work home."""
    match scene.victim:
        case "step":
            return scene.kill_step()
        case "run worker":
            return _kill_worker(here, scene)
        case "machine":
            return _cut_power(here, scene)
        case _:
            return scene.run_id


def _kill_worker(here: Installation, scene: Scene) -> str:
    """Kill the run's worker alone, and see the retry wait for the step that it left behind."""
    os.kill(scene.worker_pid, signal.SIGKILL)
    retry = _retried(here, scene.run_id)
    waits = f"is held by process {scene.step_pid}: waiting"
    wait_for(lambda: waits in here.said(retry), "the retry waits for the orphan")
    assert here.status(retry) is dg.DagsterRunStatus.STARTED
    return retry


def _cut_power(here: Installation, scene: Scene) -> str:
    """Kill every process; nobody is left who could say so but run monitoring, afterwards."""
    here.kill_everything()
    assert here.status(scene.run_id) is dg.DagsterRunStatus.STARTED
    scene.let_go()
    here.start(*_SERVERS)
    retry = _retried(here, scene.run_id)
    assert f"process {scene.worker_pid}, which executed the run, is gone" in here.said(scene.run_id)
    return retry


def _retried(here: Installation, run_id: str) -> str:
    wait_for(lambda: here.status(run_id) is FAILURE, "a run whose worker is dead has failed")
    return wait_for(lambda: here.retry_of(run_id), "the run's own retry")


def _wait_for_end(here: Installation, run_id: str) -> None:
    wait_for(lambda: here.instance.get_run_by_id(run_id).is_finished, f"run {run_id} ends")
    assert here.status(run_id) is dg.DagsterRunStatus.SUCCESS, here.said(run_id)


def _told(here: Installation, work: str, scene: Scene, last_run: str) -> str:
    first = here.status(scene.run_id).value
    how = "the same run" if last_run == scene.run_id else "its retry"
    return f"{work:9} {scene.victim:11} run {first:8} brought home by {how}"


def check_aftermath(data: Path, calm: Calm) -> None:
    """Compare what all runs left with an undisturbed run's, the servers being gone."""
    for name in ("work", "models/locks", "models/attempts"):
        left = data / name
        assert not left.exists() or list(left.iterdir()) == [], left
    check_end(data, calm.content)
    assert not [path for path in data.rglob(".tmp-*") if "dagster" not in path.parts]


def prepare(root: Path, fitted: Sequence[str]) -> tuple[Path, Calm]:
    """Make the store, and what an undisturbed run makes of it; fits for these victims."""
    store = build_store(root / "store")
    return store, calm_of(store, root / "calm", [f"host={HOST_OF[victim]}" for victim in fitted])


def main() -> None:
    """Play every combination by itself, and print how each ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--victims", nargs="*", choices=VICTIMS, default=VICTIMS)
    parser.add_argument("--work", nargs="*", choices=tuple(WORK), default=tuple(WORK))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        root = Path(directory)
        store, calm = prepare(root, chosen.victims if "training" in chosen.work else [])
        with installed(store, root / "data", free_port()) as here:
            for work in chosen.work:
                for victim in chosen.victims:
                    started = time.monotonic()
                    (line,) = play(here, calm, work, [victim])
                    print(f"{line}, {time.monotonic() - started:.0f} s", flush=True)
        check_aftermath(root / "data", calm)


if __name__ == "__main__":
    main()

"""What an operator does in the UI: backfills, a cancelled training, a repaired failure, checks.

Two real hosts in one laboratory; every order goes through GraphQL to a real webserver and daemon.
Not here: what happens without an operator (``test_by_itself``).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from cis490_pipeline.datasets.test_sets import path_of_test_set
from cis490_pipeline.evaluation.records import current_records
from cis490_pipeline.models.bundle import read_header
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.orchestration.assets_models import (
    evaluation_key,
    families_and_modes,
    model_key,
)
from cis490_pipeline.orchestration.smoke import SMOKE_FAMILIES
from cis490_pipeline.warehouse.atomic import TEMPORARY_PREFIX
from cis490_pipeline_tests.end_to_end.graphql import (
    BACKFILL,
    EPOCH,
    LAUNCH,
    REEXECUTE,
    TERMINATE,
    all_runs,
    asset_key,
    backfill,
    backfilled,
    checks_of,
    ended,
    evaluation_of,
    events,
    launch,
    launch_parameters,
    materializations,
    materialized,
    numbers_of,
    ordered,
    run_of,
    succeeded,
)
from cis490_pipeline_tests.end_to_end.laboratory import INGEST, Laboratory, laboratory
from cis490_pipeline_tests.end_to_end.real_store import ENOUGH, RealStore
from cis490_pipeline_tests.end_to_end.sensors import START, selector
from cis490_pipeline_tests.end_to_end.servers import viewing, wait_until

# The daemon looks after backfills twice a minute: both are launched before all else, and waited
# for last.
pytestmark = [pytest.mark.end_to_end, pytest.mark.usefixtures("split_backfill")]

SPLIT: Final = "host=lab-b"
OTHER_SPLIT: Final = "host=lab-a"
TRAINED: Final = "model/mlp/realistic"
TRAINED_STEP: Final = "model__mlp__realistic"
EPOCHS: Final = 30
"""At least; an epoch between two evaluations is as many passes as that takes."""
UNDER_WAY: Final = 2
"""Epochs: the one under way, and one that begins before the order is in the database."""
NOT_ALLOWED: Final = "TerminateRunFailure: You do not have permission to terminate this run"
ENDS: Final = ("start", "end")
PAIRS: Final = [(s.name, m) for s, m in families_and_modes() if s.name in SMOKE_FAMILIES]
EVALUATED: Final = [evaluation_key(name, mode).to_user_string() for name, mode in PAIRS]
MODELS: Final = [model_key(name, mode).to_user_string() for name, mode in PAIRS]
CHAIN: Final = ("training_set", "test_set", "model/majority/any", "evaluation/majority/any")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    here = tmp_path_factory.mktemp("operator")
    store = RealStore(here / "store")
    for host, number in ENOUGH.items():
        store.receive(host, number)
    with store.index.open("a", encoding="utf-8") as index:
        index.write('{"episode_id": "01M80S\n')  # what a receiver left that lost its power
    with laboratory(store, here / "data") as made:
        yield made


@pytest.fixture(scope="module")
def host_backfill(lab: Laboratory) -> str:
    """A backfill of one host, while the other one is materialized by hand; both have arrived."""
    backfill_id = backfill(lab.dagster, INGEST, ["lab-b"])
    succeeded(lab.dagster, launch(lab.dagster, INGEST, "lab-a"))
    wait_until(
        lambda: all(materialized(lab.dagster, name) == set(ENOUGH) for name in INGEST),
        seconds=300,
        what="both hosts are materialized",
        seen=lambda: all_runs(lab.dagster),
    )
    return backfill_id


@pytest.fixture(scope="module")
def split_backfill(lab: Laboratory, host_backfill: str) -> str:
    """A backfill of a split: its sets, the smoke families' models and their evaluations."""
    assert host_backfill
    assets = ["training_set", "test_set", *MODELS, *EVALUATED]
    return backfill(lab.dagster, assets, [SPLIT], short_fits())


def short_fits() -> dict[str, object]:
    """Return the configuration of a short fit of every smoke model, in one context."""
    short = {"cnn": {"epochs": 1}, "gbt": {"rounds": 5}, "permuted_labels": {"rounds": 5}}
    ops = {
        model_key(name, mode).to_python_identifier(): {
            "config": {"contexts": ["none"], "hyper_parameters": short.get(name, {})}
        }
        for name, mode in PAIRS
    }
    return {"ops": ops}


def training(seed: int) -> dict[str, object]:
    """Return the configuration of a training of many short epochs, of 20 passes each."""
    long = {
        "epochs": 20 * EPOCHS,
        "evaluation_steps": 120,
        "batch_size": 16,
        "min_steps": 1_000_000,
    }
    config = {"contexts": ["none"], "seeds": [seed], "hyper_parameters": long}
    return {"ops": {TRAINED_STEP: {"config": config}}}


def epochs_of(lab: Laboratory, run_id: str) -> list[dict[str, Any]]:
    return [e for e in events(lab.dagster, run_id) if e["__typename"] == EPOCH]


def epoch_numbers(lab: Laboratory, run_id: str) -> list[int]:
    return [numbers_of(event)["epoch"] for event in epochs_of(lab, run_id)]


def epochs_after(lab: Laboratory, run_id: str, order: str) -> int:
    """Count the epochs that a run reported after an event of another kind (GraphQL's name)."""
    found = events(lab.dagster, run_id)
    (moment,) = [float(e["timestamp"]) for e in found if e["eventType"] == order]
    return sum(float(e["timestamp"]) > moment for e in found if e["__typename"] == EPOCH)


def under_way(lab: Laboratory) -> set[str]:
    """Return the identities of the fits that have a checkpoint."""
    return {path.stem for path in lab.warehouse.layout.training_work.glob("*.safetensors")}


def begun(lab: Laboratory, seed: int) -> str:
    """Launch a training, and wait until it has reported an epoch."""
    run_id = launch(lab.dagster, ["training_set", TRAINED], OTHER_SPLIT, training(seed))
    wait_until(
        lambda: epochs_of(lab, run_id),
        seconds=300,
        what="the first epoch ends",
        seen=lambda: run_of(lab.dagster, run_id),
    )
    return run_id


Kept = dict[str, tuple[tuple[Path, ...], str | None]]


def kept_for(lab: Laboratory) -> Kept:
    """Return what the registry keeps for each fit under way: attempts that count, and a bundle."""
    registry = ModelRegistry(lab.warehouse.layout.models)
    return {fit: (registry.attempts(fit), registry.by_identity(fit)) for fit in under_way(lab)}


def trained(lab: Laboratory, fits: Kept) -> str:
    """Return that one of some fits which has become the model in the meantime."""
    registry = ModelRegistry(lab.warehouse.layout.models)
    bundles = {fit: registry.by_identity(fit) for fit in fits}
    headers = {fit: read_header(registry.find(b))[1] for fit, b in bundles.items() if b}
    (found,) = [fit for fit, header in headers.items() if header.family == "mlp"]
    return found


def half_written(lab: Laboratory) -> list[Path]:
    return list(lab.warehouse.layout.models.rglob(f"{TEMPORARY_PREFIX}*"))


def test_a_cancelled_training_stops_within_an_epoch_and_a_later_run_ends_it(
    lab: Laboratory,
) -> None:
    run_id = begun(lab, seed=0)
    ordered(lab.dagster.ask(TERMINATE, r=run_id), "TerminateRunSuccess")
    assert ended(lab.dagster, run_id).status == "CANCELED"
    kept = kept_for(lab)
    assert epochs_after(lab, run_id, "RUN_CANCELING") <= UNDER_WAY
    assert run_id not in {m["runId"] for m in materializations(lab.dagster, TRAINED)}
    before = epoch_numbers(lab, run_id)
    assert before[-1] < EPOCHS

    again = launch(lab.dagster, [TRAINED], OTHER_SPLIT, training(seed=0))
    assert set(succeeded(lab.dagster, again).steps) == {TRAINED_STEP}
    after = epoch_numbers(lab, again)
    assert after == list(range(after[0], after[-1] + 1))
    assert after[-1] >= EPOCHS
    assert after[0] - before[-1] in (1, 2)  # saved, then told: the last one perhaps never was told
    assert materializations(lab.dagster, TRAINED)[0]["runId"] == again
    attempts, bundle = kept[trained(lab, kept)]
    assert attempts == ()  # cancelling is nobody's failure
    assert bundle is None
    wait_until(lambda: not half_written(lab), seconds=60, what="nothing is half-written")


def test_only_failed_and_skipped_steps_are_repeated_after_the_repair(lab: Laboratory) -> None:
    obstacle = path_of_test_set(lab.warehouse.layout, OTHER_SPLIT)
    obstacle.mkdir(parents=True)
    run_id = launch(lab.dagster, CHAIN, OTHER_SPLIT)
    failed = ended(lab.dagster, run_id)
    assert failed.status == "FAILURE"
    states = {step: state for step, state in failed.steps.items() if state != "SKIPPED"}
    assert states == {
        "training_set": "SUCCESS",
        "training_set_coverage": "SUCCESS",
        "model__majority__any": "SUCCESS",
        "test_set": "FAILURE",
    }
    assert run_id not in {m["runId"] for m in materializations(lab.dagster, CHAIN[3])}

    obstacle.rmdir()
    order = {"parentRunId": run_id, "strategy": "FROM_FAILURE"}
    answer = ordered(lab.dagster.ask(REEXECUTE, p=order), "LaunchRunSuccess")
    repaired = succeeded(lab.dagster, answer["run"]["runId"])
    assert set(repaired.steps) == {"test_set", "test_set_leakage", "evaluation__majority__any"}
    assert repaired.tags["dagster/parent_run_id"] == run_id
    for name, made_by in zip(CHAIN, (run_id, repaired.run_id) * 2, strict=True):
        latest, *_ = materializations(lab.dagster, name)
        assert latest["runId"] == made_by
    relatives = [r for r in all_runs(lab.dagster) if r.tags.get("dagster/root_run_id") == run_id]
    assert {run.run_id for run in relatives} - {run_id} == {repaired.run_id}  # none by itself


def test_a_read_only_instance_refuses_every_order_and_yet_shows_the_assets(
    lab: Laboratory, host_backfill: str
) -> None:
    assert host_backfill
    run = all_runs(lab.dagster)[0].run_id
    with viewing(lab.data, lab.store.root) as viewer:
        before = {run.run_id for run in all_runs(viewer)}
        orders = {
            "launch": viewer.ask(LAUNCH, p=launch_parameters(INGEST, "lab-a")),
            "terminate": viewer.ask(TERMINATE, r=run),
            "repeat": viewer.ask(REEXECUTE, p={"parentRunId": run, "strategy": "ALL_STEPS"}),
            "backfill": viewer.ask(
                BACKFILL,
                p={"assetSelection": [asset_key(INGEST[0])], "partitionNames": ["lab-a"]},
            ),
            "start a sensor": viewer.ask(START, s=selector("nightly")),
        }
        answers = {name: _answer(found) for name, found in orders.items()}
        assert answers == dict.fromkeys(orders, "UnauthorizedError") | {"terminate": NOT_ALLOWED}
        assert {run.run_id for run in all_runs(viewer)} == before
        for name in INGEST:
            assert materialized(viewer, name) == set(ENOUGH)
        latest, *_ = materializations(viewer, "validation_index")
        assert numbers_of(latest)["episodes_total"] == ENOUGH[latest["partition"]]


def _answer(found: dict[str, Any]) -> str:
    """Return the kind of an answer; of a failure, which has many causes, with what it says."""
    (result,) = found.values()
    kind = result["__typename"]
    return f"{kind}: {result['message']}" if kind.endswith("Failure") else kind


def runs_of(found: Any) -> list[tuple[str, str, str]]:
    """Return the first partition, the last one and the status of each run of a backfill."""

    def described(run: Any) -> tuple[str, str, str]:
        tags: dict[str, str] = {tag["key"]: tag["value"] for tag in run["tags"]}
        only = tags.get("dagster/partition", "")
        first, last = (tags.get(f"dagster/asset_partition_range_{e}", only) for e in ENDS)
        return first, last, run["status"]

    return [described(run) for run in found["runs"]]


def test_a_backfill_materializes_the_chosen_host_and_no_other(
    lab: Laboratory, host_backfill: str
) -> None:
    found = backfilled(lab.dagster, host_backfill, seconds=300)
    assert found["status"] == "COMPLETED_SUCCESS", found
    assert runs_of(found) == [("lab-b", "lab-b", "SUCCESS")]
    made = {run["runId"] for run in found["runs"]}
    for name in INGEST:
        by_backfill = [m for m in materializations(lab.dagster, name) if m["runId"] in made]
        assert [m["partition"] for m in by_backfill] == ["lab-b"]
    (index,) = [m for m in materializations(lab.dagster, INGEST[0]) if m["runId"] in made]
    assert numbers_of(index)["episodes_new"] == ENOUGH["lab-b"]


def test_a_backfill_plans_fits_and_scores_a_split(lab: Laboratory, split_backfill: str) -> None:
    found = backfilled(lab.dagster, split_backfill, seconds=500)
    assert found["status"] == "COMPLETED_SUCCESS", found
    assert runs_of(found) == [(SPLIT, SPLIT, "SUCCESS")]
    (made,) = [run["runId"] for run in found["runs"]]
    for name in (*MODELS, *EVALUATED):
        assert (made, SPLIT) in {
            (m["runId"], m["partition"]) for m in materializations(lab.dagster, name)
        }, name
    records = current_records(lab.warehouse.layout, SPLIT)
    assert {(r.fitted.family, r.fitted.mode) for r in records} == {(n, m.value) for n, m in PAIRS}
    assert all(r.evaluation and r.evaluation.n_episodes == ENOUGH["lab-b"] for r in records)


def test_checks_are_shown_for_each_partition_with_what_they_found(
    lab: Laboratory, split_backfill: str
) -> None:
    found = backfilled(lab.dagster, split_backfill, seconds=500)
    assert found["status"] == "COMPLETED_SUCCESS", found
    assert evaluation_of(lab.dagster, "training_set", "coverage", SPLIT)["success"]
    leakage = evaluation_of(lab.dagster, "test_set", "leakage", SPLIT)
    assert leakage["success"]
    assert numbers_of(leakage) == {"leaks": 0}
    for host in ENOUGH:
        damage = evaluation_of(lab.dagster, "validation_index", "index_damage", host)
        assert (damage["success"], damage["severity"]) == (False, "WARN")
        assert numbers_of(damage) == {"damaged": 1}
        entries = {entry["label"]: entry for entry in damage["metadataEntries"]}
        assert "01M80S" in entries["first"]["mdStr"]
        assert entries["index"]["path"] == str(lab.store.index)
    shown = {**checks_of(lab.dagster, "training_set"), **checks_of(lab.dagster, "test_set")}
    assert {name: check["blocking"] for name, check in shown.items()} == {
        "coverage": True,
        "leakage": True,
    }
    assert "disjoint" in shown["leakage"]["description"]

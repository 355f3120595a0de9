"""The reader says of every damaged episode and index line exactly what the writer planted."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cis490_pipeline.episodes.archive import ArchiveLimits
from cis490_pipeline.episodes.index import DamageKind
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.run import IngestOptions
from cis490_pipeline.ingest.sweep import Sweep, sweep_store
from cis490_pipeline.synthetic.config import SynthConfig
from cis490_pipeline.synthetic.damage import NEEDS_NETFLOW, Damage, Expected, IndexDamage
from cis490_pipeline.synthetic.hosts import host_styles
from cis490_pipeline.synthetic.plan import plan_store
from cis490_pipeline.synthetic.store import MANIFEST_FILE, write_store
from cis490_pipeline.validation.gate import Status

PREFIX_OF_REASON = {
    Damage.TARBALL_MISSING: "tarball-not-on-disk",
    Damage.NOT_A_FILE: "hash-failed:",
    Damage.SHA_MISMATCH: "sha-mismatch",
    Damage.SIZE_MISMATCH: "size-mismatch",
    Damage.CUT_OFF: "open-failed:ZstdError:cut off",
    Damage.NOT_ZSTD: "open-failed:ZstdError:not a zstd frame",
    Damage.NOT_TAR: "open-failed:ReadError:not a tar",
    Damage.TAR_CUT_OFF: "open-failed:ReadError:cut off",
    Damage.MISSING_META: "missing-files:meta.json",
    Damage.MISSING_LABELS: "missing-files:labels.jsonl",
    Damage.MISSING_EVENTS: "missing-files:events.jsonl",
    Damage.MISSING_PROC: "missing-files:telemetry-proc.jsonl",
    Damage.MISSING_GUEST: "missing-files:telemetry-guest.jsonl",
    Damage.MISSING_QMP: "missing-files:telemetry-qmp.jsonl",
    Damage.MISSING_NETFLOW: "missing-files:netflow.jsonl",
    Damage.MISSING_DONE: "missing-files:done.marker",
    Damage.META_NOT_OBJECT: "open-failed:TypeError:meta.json",
    Damage.TWO_OBJECTS: "open-failed:JSONDecodeError:",
    Damage.TRAILING_COMMA: "open-failed:JSONDecodeError:",
    Damage.NAN_LITERAL: "open-failed:JSONDecodeError:",
    Damage.BAD_UTF8: "open-failed:UnicodeDecodeError:",
    Damage.LINE_NOT_OBJECT: "open-failed:TypeError:",
    Damage.T_WALL_NOT_INT: "open-failed:TypeError:",
    Damage.T_WALL_ABSENT: "open-failed:KeyError:",
    Damage.LABEL_T_WALL_NOT_INT: "open-failed:TypeError:labels.jsonl",
    Damage.SCHEMA_VERSION: "schema-version:2",
    Damage.LABELS_EMPTY: "labels-empty",
    Damage.FIRST_PHASE: "first-phase:armed",
    Damage.FIRST_PREV: "first-prev:clean",
    Damage.NOT_MONOTONIC: "labels-not-monotonic",
    Damage.PHASES_MISMATCH: "phases-meta-mismatch",
    Damage.ROWS_PROC: "rows-proc-mismatch:",
    Damage.ROWS_GUEST: "rows-guest-mismatch:",
    Damage.ROWS_QMP: "rows-qmp-mismatch:",
    Damage.ROWS_NETFLOW: "rows-netflow-mismatch:",
    Damage.UNSAFE_LINK: "open-failed:UnsafeMember:not a file",
    Damage.UNSAFE_ABSOLUTE: "open-failed:UnsafeMember:absolute",
    Damage.UNSAFE_PARENT: "open-failed:UnsafeMember:path with ..",
    Damage.UNSAFE_TWICE: "open-failed:UnsafeMember:two members",
    Damage.MANY_MEMBERS: "open-failed:LimitExceeded:",
    Damage.BOMB: "open-failed:LimitExceeded:",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """A store, what its manifest promises, and what the reader says under the lowered limit."""

    root: Path
    manifest: dict[str, Any]
    lowered: Sweep


def sweep(root: Path, out: Path, limits: ArchiveLimits) -> Sweep:
    return sweep_store(EpisodeStore(root), out, options=IngestOptions(limits=limits))


@pytest.fixture(scope="module", params=[0, 1])
def swept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Swept:
    root = tmp_path_factory.mktemp("damaged")
    hosts = {"lab-a": 90, "lab-b": 60, "lab-c": 30}
    write_store(root, SynthConfig(hosts=hosts, seconds=6.0, damage=0.7, seed=request.param))
    manifest = json.loads((root / MANIFEST_FILE).read_text())
    limits = ArchiveLimits(max_bytes=manifest["max_bytes"])
    lowered = sweep(root, root / "out.parquet", limits)
    return Swept(root=root, manifest=manifest, lowered=lowered)


def test_names_are_those_of_the_reader() -> None:
    assert {one.value for one in Expected} == {one.value for one in Status}
    assert {one.counted_as for one in IndexDamage} == {one.value for one in DamageKind}


def test_every_kind_of_damage_is_planted(swept: Swept) -> None:
    assert set(swept.manifest["planted"]) == {one.value for one in Damage}
    assert set(swept.manifest["index_damage"]) == {one.value for one in DamageKind}
    assert set(PREFIX_OF_REASON) == set(Damage)
    assert sum(swept.manifest["planted"].values()) == round(0.7 * 180)


def test_every_episode_gets_the_expected_status(swept: Swept) -> None:
    promised = {
        episode: (one["host_id"], one["status_at_max_bytes"])
        for episode, one in swept.manifest["expected"].items()
    }
    assert {row.episode_id: (row.host_id, row.status) for row in swept.lowered.rows} == promised


def test_without_the_lowered_limit_only_bombs_are_judged_otherwise(
    swept: Swept, tmp_path: Path
) -> None:
    expected = swept.manifest["expected"]
    rows = sweep(swept.root, tmp_path / "out.parquet", ArchiveLimits()).rows
    assert {row.episode_id: row.status for row in rows} == {
        episode: one["status"] for episode, one in expected.items()
    }
    differ = {
        one["damage"] for one in expected.values() if one["status"] != one["status_at_max_bytes"]
    }
    assert differ == {Damage.BOMB.value}


def test_the_reason_is_the_damage(swept: Swept) -> None:
    for row in swept.lowered.rows:
        damage = swept.manifest["expected"][row.episode_id]["damage"]
        if damage is not None:
            reasons = (*row.reasons, *row.soft_reasons)
            prefix = PREFIX_OF_REASON[Damage(damage)]
            assert any(reason.startswith(prefix) for reason in reasons), (damage, reasons)


def test_the_index_has_exactly_the_planted_damage(swept: Swept) -> None:
    found = Counter(one.kind.value for one in swept.lowered.reading.damage)
    assert dict(found) == swept.manifest["index_damage"]


def test_a_reship_from_another_host_leaves_a_stale_file(swept: Swept) -> None:
    """The superseded row names another host, where the cut-off tarball still lies."""
    reading = swept.lowered.reading
    held = {(entry.host_id, entry.episode_id) for entry in reading.entries}
    files = {(path.parent.name, path.name[:26]) for path in swept.root.glob("episodes/*/*.tar.zst")}
    stale = files - held
    duplicates = [one for one in reading.damage if one.kind is DamageKind.DUPLICATE]
    assert 0 < len(stale) < len(duplicates)
    assert {episode for _, episode in stale} <= {entry.episode_id for entry in reading.entries}


@pytest.mark.parametrize("hosts", [{"a": 40}, {"a": 30, "b": 30}])
def test_without_damage_all_is_accepted_or_degraded(tmp_path: Path, hosts: dict[str, int]) -> None:
    write_store(tmp_path, SynthConfig(hosts=hosts, seconds=4.0, seed=3))
    found = sweep(tmp_path, tmp_path / "out.parquet", ArchiveLimits())
    statuses = Counter((row.host_id, row.status) for row in found.rows)
    last = list(hosts)[-1]
    degraded = round(0.3 * hosts[last])
    assert found.reading.damage == ()
    assert statuses.pop((last, "degraded")) == degraded
    assert statuses.total() == sum(hosts.values()) - degraded
    assert {status for _, status in statuses} == {"accepted"}


def test_damage_to_netflow_is_planted_only_where_there_is_netflow() -> None:
    config = SynthConfig(hosts={"a": 400}, seconds=2.0, damage=1.0)
    hosts = list(host_styles(config.seed, ["a"]).values())
    planned = plan_store(config, hosts).episodes
    needing = [one for one in planned if one.damage in NEEDS_NETFLOW]
    assert len(needing) >= 18
    assert all(one.has_netflow for one in needing)
    assert not all(one.has_netflow for one in planned)


def test_one_damaged_episode_also_damages_the_index_once(tmp_path: Path) -> None:
    report = write_store(tmp_path, SynthConfig(hosts={"a": 10}, seconds=2.0, damage=0.1))
    assert sum(report.planted.values()) == 1
    assert report.index_damage == {"partial": 1}

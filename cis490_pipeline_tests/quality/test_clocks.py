"""A shifted clock is found and named; a healthy one, and a single accident, are not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.quality.clocks import (
    SourceSpan,
    check_clocks,
    clock_findings,
    host_clocks,
    source_clocks,
    source_spans,
)
from cis490_pipeline.quality.config import QualityConfig
from cis490_pipeline.schema.channels import N_CHANNELS, Source, channel_slice
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.episodes.building import (
    Row,
    add_episode,
    build_episode,
    build_store,
    episode_id,
    telemetry_rows,
)
from cis490_pipeline_tests.quality.recorded import HOSTS, made_warehouse, recorded_warehouse

FEW = QualityConfig(min_episodes=6)


def shifted(source: Source, seconds: float) -> dict[Source, list[Row]]:
    """Return the rows of a source whose clock is ahead by so much (behind where negative)."""
    rows = telemetry_rows(source, seconds=30.0)
    return {source: [{**row, "t_wall_ns": row["t_wall_ns"] + int(seconds * 1e9)} for row in rows]}


@pytest.mark.parametrize("source", list(Source))
@pytest.mark.parametrize("skew_s", [5.0, -7.0])
def test_a_shifted_source_is_found_and_no_other(
    tmp_path: Path, source: Source, skew_s: float
) -> None:
    warehouse = made_warehouse(tmp_path, 6, rows=shifted(source, skew_s))
    (finding,) = check_clocks(warehouse, "lab-a", FEW).findings
    assert (finding.symptom, finding.subject) == ("clock-skew", source.value)
    assert ("clock is ahead" in finding.detail) == (skew_s > 0)
    assert ("clock is behind" in finding.detail) == (skew_s < 0)
    (clock,) = (c for c in host_clocks(warehouse, "lab-a", FEW) if c.source is source)
    seen = clock.median_start_s if skew_s > 0 else clock.median_end_s
    assert seen == pytest.approx(abs(skew_s), abs=1.0), "as large as the shift, within a row"


@pytest.mark.parametrize("source", [Source.PROC, Source.GUEST, Source.QMP])
def test_a_shifted_source_is_not_blamed_on_the_others_where_netflow_is_missing(
    tmp_path: Path, source: Source
) -> None:
    knobs = {"rows": shifted(source, 6.0), "drop": ["netflow.jsonl"]}
    warehouse = made_warehouse(tmp_path, 6, **knobs)
    assert [f.subject for f in check_clocks(warehouse, "lab-a", FEW).findings] == [source.value]


def test_a_source_whose_clock_is_an_hour_behind_has_rows_and_no_value(tmp_path: Path) -> None:
    warehouse = made_warehouse(tmp_path, 6, rows=shifted(Source.GUEST, -3600.0))
    (finding,) = check_clocks(warehouse, "lab-a", FEW).findings
    assert finding.subject == "guest"
    assert "has rows and not one value inside the episode in 6" in finding.detail


def test_an_absent_source_is_not_a_clock(tmp_path: Path) -> None:
    warehouse = made_warehouse(tmp_path, 6, drop=["netflow.jsonl"])
    outcome = check_clocks(warehouse, "lab-a", FEW)
    assert outcome.findings == ()
    assert outcome.rows[-1] == ("netflow", "0", "–", "–")


def test_healthy_clocks_and_few_episodes_are_silent(tmp_path: Path) -> None:
    assert check_clocks(made_warehouse(tmp_path / "a", 6), "lab-a", FEW).findings == ()
    skewed = made_warehouse(tmp_path / "b", 6, rows=shifted(Source.GUEST, 5.0))
    assert check_clocks(skewed, "lab-a", QualityConfig()).findings == (), "fewer than 20"
    assert check_clocks(skewed, "lab-x", FEW).findings == (), "no such host"


def test_only_the_newest_episodes_count(tmp_path: Path) -> None:
    """A clock that was put right is silent again once enough episodes have followed."""
    store = build_store(tmp_path / "store", {"lab-a": 6}, rows=shifted(Source.GUEST, 5.0))
    for number in range(6, 12):
        blob = build_episode(sample_name=f"s{number}", episode=episode_id(number))
        add_episode(store.root, "lab-a", episode_id(number), blob)
    warehouse = Warehouse(tmp_path / "data")
    ingest_host(EpisodeStore(store.root), warehouse, "lab-a")
    assert len(check_clocks(warehouse, "lab-a", FEW).findings) == 1
    newest = replace(FEW, recent_episodes=6)
    assert check_clocks(warehouse, "lab-a", newest).findings == ()


def test_two_skewed_episodes_among_fifty_are_an_accident() -> None:
    late = {Source.GUEST: SourceSpan(start_s=9.0, end_s=0.0)}
    fine = {Source.GUEST: SourceSpan(start_s=0.1, end_s=0.0)}
    config = QualityConfig()

    def found(n_late: int, n_fine: int) -> int:
        spans = [late] * n_late + [fine] * n_fine
        declared = [frozenset({Source.GUEST})] * len(spans)
        return len(clock_findings(source_clocks(spans, declared, config.max_skew_s), config))

    assert found(2, 18) == 0
    assert found(3, 17) == 1
    assert found(4, 46) == 0
    assert found(5, 45) == 1


def test_spans_are_measured_from_the_first_tick_and_against_the_others() -> None:
    x_TC = np.full((300, N_CHANNELS), np.nan, dtype=np.float32)
    x_TC[:, channel_slice(Source.PROC)] = 1.0
    x_TC[:, channel_slice(Source.NETFLOW)] = 1.0
    x_TC[30:, channel_slice(Source.QMP)] = 1.0
    x_TC[5:260, channel_slice(Source.GUEST).start] = 1.0  # one channel suffices
    spans = source_spans(x_TC)
    assert set(spans) == set(Source)
    assert spans[Source.QMP] == SourceSpan(start_s=3.0, end_s=0.0)
    assert spans[Source.GUEST].start_s == 0.5
    assert spans[Source.GUEST].end_s == pytest.approx(4.0 + 2.5)
    assert source_spans(x_TC[:0]) == {}


@pytest.mark.parametrize("host", HOSTS)
def test_the_recorded_corpus_is_silent(tmp_path_factory: pytest.TempPathFactory, host: str) -> None:
    outcome = check_clocks(recorded_warehouse(tmp_path_factory), host, QualityConfig())
    assert outcome.findings == ()
    assert [row[0] for row in outcome.rows] == [source.value for source in Source]
    assert outcome.rows[0][1] == "50"

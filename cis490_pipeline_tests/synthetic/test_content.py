"""What stands in the files: consistent, as the format says, and plausible."""

import io
import json
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cis490_pipeline.schema.channels import CHANNELS, SOURCE_FACTS, Kind, Source, channels_of
from cis490_pipeline.schema.phases import FAILED, PHASES
from cis490_pipeline.synthetic.config import SynthConfig
from cis490_pipeline.synthetic.drivers import draw_drivers
from cis490_pipeline.synthetic.hosts import host_styles
from cis490_pipeline.synthetic.loads import LOAD_NAMES
from cis490_pipeline.synthetic.mixing import MIXES
from cis490_pipeline.synthetic.plan import EpisodePlan, plan_store
from cis490_pipeline.synthetic.random_streams import Stream, generator
from cis490_pipeline.synthetic.recorder import Recorder
from cis490_pipeline.synthetic.row_text import RowWriter
from cis490_pipeline.synthetic.schedule import Schedule, draw_schedule
from cis490_pipeline.synthetic.signal_kernels import COUNTER, DELTA, GAUGE
from cis490_pipeline.synthetic.signals import ABSENT, NULL, PRESENT, SourceRows

CONFIG = SynthConfig(hosts={"lab-a": 40, "lab-b": 40}, seconds=255.0, seed=5)
Row = dict[str, Any]


def plans(config: SynthConfig) -> tuple[EpisodePlan, ...]:
    hosts = host_styles(config.seed, list(config.hosts))
    return plan_store(config, list(hosts.values())).episodes


def members_of(blob: bytes) -> dict[str, bytes]:
    """By the standard library's reader, an opinion that is not ours."""
    raw = zstandard.ZstdDecompressor().decompressobj().decompress(blob)
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        files = {info.name: tar.extractfile(info) for info in tar}
        return {Path(name).name: file.read() for name, file in files.items() if file}


def rows_of(text: bytes) -> list[Row]:
    assert text.endswith(b"\n")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def episodes() -> list[tuple[EpisodePlan, dict[str, bytes]]]:
    recorder = Recorder(CONFIG)
    made: list[tuple[EpisodePlan, dict[str, bytes]]] = []
    for plan in plans(CONFIG)[:24]:
        blob = recorder.record(plan).blob
        assert blob is not None
        made.append((plan, members_of(blob)))
    return made


def test_every_channel_has_a_mix() -> None:
    assert list(MIXES) == [channel.column for channel in CHANNELS]
    assert len({GAUGE, COUNTER, DELTA}) == len(Kind)


def test_meta_says_what_the_files_have(
    episodes: list[tuple[EpisodePlan, dict[str, bytes]]],
) -> None:
    for plan, files in episodes:
        meta = json.loads(files["meta.json"])
        assert (meta["episode_id"], meta["host_id"]) == (plan.episode_id, plan.host)
        phases = [row["phase"] for row in rows_of(files["labels.jsonl"])]
        assert meta["result"]["phases_observed"] == phases
        for source, facts in SOURCE_FACTS.items():
            rows = files.get(facts.file_name)
            declared = meta["result"][f"rows_{source.value}"]
            assert declared == (None if rows is None else len(rows_of(rows)))
        assert (meta["sample"]["kind"] == "control") == (meta["sample"]["profile"] == "benign")
        assert ("netflow.jsonl" in files) == plan.has_netflow


def test_rows_carry_all_keys_but_a_few_and_never_a_negative_number(
    episodes: list[tuple[EpisodePlan, dict[str, bytes]]],
) -> None:
    n_rows = n_gaps = 0
    for _, files in episodes:
        for source, facts in SOURCE_FACTS.items():
            for row in rows_of(files[facts.file_name]) if facts.file_name in files else []:
                values = [row.get(channel.name) for channel in channels_of(source)]
                n_rows, n_gaps = n_rows + 1, n_gaps + values.count(None)
                assert all(value is None or value >= 0 for value in values)
    assert 0.003 < n_gaps / n_rows < 0.012


def test_wall_times_are_aligned_and_netflow_counts_uptime(
    episodes: list[tuple[EpisodePlan, dict[str, bytes]]],
) -> None:
    for plan, files in episodes:
        for source, facts in SOURCE_FACTS.items():
            if facts.file_name not in files:
                continue
            rows = rows_of(files[facts.file_name])
            wall = np.array([row["t_wall_ns"] for row in rows]) - plan.started_ns
            mono = np.array([row["t_mono_ns"] for row in rows])
            assert (np.diff(wall) >= 0).all()
            assert wall[0] >= 0
            assert wall[-1] <= 256e9
            assert len(set((mono - wall).tolist())) == 1
            assert ((mono - wall)[0] > 0) == (source is Source.NETFLOW)


def test_counters_rise_but_for_a_few_resets(
    episodes: list[tuple[EpisodePlan, dict[str, bytes]]],
) -> None:
    falls = 0
    for _, files in episodes:
        for channel in (c for c in CHANNELS if c.kind is Kind.COUNTER):
            rows = rows_of(files[SOURCE_FACTS[channel.source].file_name])
            values = [row[channel.name] for row in rows if row.get(channel.name) is not None]
            falls += int((np.diff(values) < 0).sum())
    assert 0 < falls < len(episodes)


def test_hosts_differ_in_level_and_writing(
    episodes: list[tuple[EpisodePlan, dict[str, bytes]]],
) -> None:
    first = {plan.host: files for plan, files in reversed(episodes)}
    a, b = (files["telemetry-proc.jsonl"] for files in (first["lab-a"], first["lab-b"]))
    assert b", " in a
    assert b", " not in b
    assert rows_of(a)[0]["vsz_bytes"] != rows_of(b)[0]["vsz_bytes"]
    blobs = {plan.host: Recorder(CONFIG).record(plan).blob or b"" for plan in plans(CONFIG)[:8]}
    sizes = {host: zstandard.frame_content_size(blob) for host, blob in blobs.items()}
    assert sizes["lab-a"] > 10**6
    assert sizes["lab-b"] == -1


def test_profiles_controls_and_captures_have_their_shares() -> None:
    config = SynthConfig(hosts={"a": 1000, "b": 1000}, controls=0.1)
    planned = plans(config)
    counts = Counter((plan.host, plan.profile) for plan in planned)
    assert counts["a", "benign"] == counts["b", "benign"] == 100
    assert len({profile for host, profile in counts if host == "a"}) == 7
    assert len({profile for host, profile in counts if host == "b"}) == 6
    assert min(counts.values()) >= 100
    assert 0.04 < sum(plan.has_pcap for plan in planned) / 2000 < 0.11
    assert sum(not plan.has_netflow for plan in planned if plan.host == "b") == 300
    assert len({plan.episode_id for plan in planned}) == 2000
    received = [plan.received_ns for plan in planned]
    assert received == sorted(received)


def test_a_capture_is_a_capture_of_about_200_kb() -> None:
    plan = next(plan for plan in plans(CONFIG) if plan.has_pcap)
    capture = members_of(Recorder(CONFIG).record(plan).blob or b"")["network.pcap"]
    assert 180_000 < len(capture) < 220_000
    assert capture[:4] == b"\xd4\xc3\xb2\xa1"
    seconds = int.from_bytes(capture[24:28], "little")
    assert 0 <= seconds - plan.started_ns // 10**9 <= 255


@given(seed=st.integers(0, 10**6), seconds=st.floats(1.0, 1000.0), control=st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_schedule_is_sound(seed: int, seconds: float, *, control: bool) -> None:
    schedule = draw_schedule(np.random.default_rng(seed), seconds, control=control)
    assert schedule.phases[0] == "clean"
    assert set(schedule.phases) <= {*PHASES, FAILED}
    assert FAILED not in schedule.phases[:-1]
    assert schedule.starts_s[0] == 0.0
    assert all(end > start for _, start, end in schedule.spans())
    assert not control or schedule.phases == ("clean",)


def test_schedules_repeat_skip_and_fail_now_and_then() -> None:
    rng = generator(0, Stream.EPISODE)
    drawn = [draw_schedule(rng, 255.0, control=False) for _ in range(2000)]
    shares = {
        "repeats": np.mean([one.phases.count("infected_running") > 1 for one in drawn]),
        "no armed": np.mean(["armed" not in one.phases for one in drawn]),
        "never came": np.mean([one.phases == ("clean",) for one in drawn]),
        "failed": np.mean([FAILED in one.phases for one in drawn]),
    }
    assert 0.2 < shares["repeats"] < 0.7
    assert 0.08 < shares["no armed"] < 0.2
    assert 0.02 < shares["never came"] < 0.06
    assert 0.02 < shares["failed"] < 0.06
    onsets = [one.starts_s[1] for one in drawn if len(one.starts_s) > 1]
    assert np.quantile(onsets, 0.9) > 4 * np.quantile(onsets, 0.1)


@pytest.mark.parametrize(
    ("profile", "load"),
    [
        ("cpu-saturate", "cpu"),
        ("io-walk", "write"),
        ("scan-and-dial", "dial"),
        ("low-and-slow", "dial"),
        ("bursty-c2", "tx"),
        ("mem-hoard", "mem"),
    ],
)
def test_a_running_sample_shows_in_its_load(profile: str, load: str) -> None:
    rng = generator(1, Stream.EPISODE)
    host = host_styles(0, ["a"])["a"]
    phases = ("clean", "infected_running", "dormant")
    schedule = Schedule(phases=phases, starts_s=(0.0, 40.0, 80.0), seconds=120.0)
    drawn = [draw_drivers(rng, host, profile, schedule) for _ in range(40)]
    x_T = np.mean([one[:, LOAD_NAMES.index(load)] for one in drawn], axis=0)
    clean, running, dormant = x_T[:80].mean(), x_T[80:160].mean(), x_T[160:240].mean()
    assert running > 1.25 * clean
    assert running > dormant


@given(data=st.data(), source=st.sampled_from(list(Source)), spaced=st.booleans())
@settings(max_examples=150, deadline=None)
def test_rendered_rows_are_the_numbers(
    data: st.DataObject, source: Source, *, spaced: bool
) -> None:
    names = ["t_mono_ns", "t_wall_ns", *(channel.name for channel in channels_of(source))]
    shape = (data.draw(st.integers(1, 5)), len(names))
    largest = st.sampled_from([9, 99, 100, 10**9, 2**53, 2**63 - 1])
    number = largest.flatmap(lambda most: st.integers(0, most))
    numbers = data.draw(hnp.arrays(np.int64, shape, elements=number))
    gaps = data.draw(hnp.arrays(np.uint8, shape, elements=st.integers(PRESENT, ABSENT)))
    gaps[:, :2] = PRESENT
    text = RowWriter().text(source, SourceRows(numbers=numbers, gaps=gaps), spaced=spaced)
    rows = rows_of(bytes(text))
    assert len(rows) == shape[0]
    for row, numbers_C, gaps_C in zip(rows, numbers.tolist(), gaps.tolist(), strict=True):
        for name, value, gap in zip(names, numbers_C, gaps_C, strict=True):
            if gap != PRESENT:
                assert (name in row) == (gap == NULL)
                assert row.get(name) is None
            elif name == "load1":
                assert row[name] == value / 100 or value > 2**53
            else:
                assert row[name] == value

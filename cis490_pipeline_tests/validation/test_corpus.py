"""The recorded corpus: every episode opens and is judged as its README says."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from cis490_pipeline.episodes.archive import ArchiveLimits
from cis490_pipeline.episodes.decode import open_episode
from cis490_pipeline.episodes.episode import Episode
from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.schema.channels import SOURCE_FACTS, Source
from cis490_pipeline.schema.tables import VALIDATION_COLUMNS
from cis490_pipeline.validation.gate import Status, judge
from cis490_pipeline.validation.record import rows_to_table, spec_columns, validation_row
from cis490_pipeline.validation.summary import summarize

STORE = EpisodeStore(Path(__file__).resolve().parents[2] / "data" / "corpus")


@pytest.fixture(scope="module")
def sweep():
    reading = read_received(STORE.index_path)
    rows, episodes = [], []
    for entry in reading.entries:
        stamp = STORE.stamp(entry.host_id, entry.episode_id)
        blob = STORE.read(entry.host_id, entry.episode_id)
        opened = open_episode(blob, ArchiveLimits())
        assert isinstance(opened, Episode), opened
        verdict = judge(entry, hashlib.sha256(blob).hexdigest(), len(blob), opened)
        rows.append(validation_row(entry, verdict, opened, stamp))
        episodes.append(opened)
    return reading, rows, episodes


def test_index_is_undamaged(sweep):
    assert sweep[0].damage == ()
    assert len(sweep[0].entries) == 167


def test_verdicts_are_those_of_the_readme(sweep):
    summary = summarize(sweep[1], ())
    none = dict.fromkeys(Status, 0)
    assert summary.by_host == {
        "lab-a": {**none, Status.ACCEPTED: 90},
        "lab-b": {**none, Status.ACCEPTED: 45, Status.DEGRADED: 32},
    }
    assert summary.top_reasons == (("missing-files", 32),)


def test_contents_are_those_of_the_readme(sweep):
    _, rows, _ = sweep
    assert Counter(row.host_id for row in rows if row.has_pcap) == {"lab-a": 6, "lab-b": 9}
    profiles = Counter((row.host_id, row.profile) for row in rows)
    assert profiles["lab-a", "scan-and-dial"] == 14
    assert profiles["lab-b", "scan-and-dial"] == 0
    assert profiles["lab-a", "benign"] == profiles["lab-b", "benign"] == 13
    minutes = Counter()
    for row in rows:
        minutes[row.host_id] += row.duration_observed_s / 60
    assert {host: round(total) for host, total in minutes.items()} == {"lab-a": 129, "lab-b": 103}
    assert all(row.received_at_s is not None for row in rows)


def test_degraded_episodes_declare_no_netflow_rows(sweep):
    _, rows, episodes = sweep
    for row, episode in zip(rows, episodes, strict=True):
        assert (row.rows_netflow is None) == (row.status == "degraded")
        absent = SOURCE_FACTS[Source.NETFLOW].file_name not in episode.present
        assert absent == (row.status == "degraded")


def test_telemetry_has_values_in_every_channel_of_some_episode(sweep):
    for source in Source:
        seen = sum((~(e.telemetry[source].values != e.telemetry[source].values)).any(axis=0)
                   for e in sweep[2])  # fmt: skip
        assert (seen > 0).all(), source


def test_export_has_the_formats_columns(sweep):
    table = spec_columns(rows_to_table(sweep[1]))
    assert table.schema.equals(VALIDATION_COLUMNS)
    assert table.num_rows == 167

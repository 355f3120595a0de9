"""What happened in an episode, read from the tables; and a real bundle's alarm over it."""

from dataclasses import replace

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from cis490_pipeline.datasets.test_sets import load_test_set
from cis490_pipeline.edge.alarm import alarm_score
from cis490_pipeline.edge.detector import Detector, strides
from cis490_pipeline.edge.recording import read_recording
from cis490_pipeline.errors import EvaluationError, WarehouseError
from cis490_pipeline.evaluation.alarms import trace_alarm
from cis490_pipeline.evaluation.courses import (
    Basis,
    course_of,
    courses_of,
    load_basis,
    purity_of,
)
from cis490_pipeline.evaluation.predictions import TEST, predictions_of
from cis490_pipeline.evaluation.records import current_records
from cis490_pipeline.models.bundle import open_bundle
from cis490_pipeline.models.predict import window_scorer
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.tables import Table
from cis490_pipeline_tests.datasets.smoke import CORPUS, SPLIT, scored_warehouse
from cis490_pipeline_tests.evaluation.watched import CLEAN, Watched, basis, predictions, rule


def steps(*pairs):
    return [{"t_s": t_s, "phase": phase} for t_s, phase in pairs]


def course(*pairs, kind="emulated", n_ticks=1000):
    return course_of(steps(*pairs), n_ticks=n_ticks, sample_kind=kind)


def test_onset_is_the_first_infected_label_and_the_end_is_the_last_tick():
    found = course((0.0, "clean"), (20.0, "armed"), (31.5, "infecting"), (60.0, "dormant"))
    assert (found.onset_s, found.end_s, found.control) == (31.5, 100.0, False)


def test_where_infecting_is_skipped_the_first_infected_phase_is_the_onset():
    assert course((0.0, "clean"), (40.0, "infected_running")).onset_s == 40.0


def test_watching_ends_at_the_first_label_that_is_no_phase():
    assert course((0.0, "clean"), (30.0, "infecting"), (50.0, "failed")).end_s == 50.0
    early = course((0.0, "clean"), (30.0, "failed"), (50.0, "infecting"))
    assert (early.onset_s, early.end_s) == (None, 30.0)


def test_a_control_has_no_onset_whatever_its_labels_say():
    found = course((0.0, "clean"), (30.0, "infecting"), kind="control")
    assert (found.onset_s, found.control) == (None, True)


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """For reading only."""
    return scored_warehouse(tmp_path_factory)


def test_courses_and_purities_are_those_of_the_tables(scored):
    members = load_test_set(scored.layout, SPLIT).test
    found = load_basis(scored, members, rule())
    assert set(found.courses) == {member.episode_id for member in members}
    rows = pl.read_delta(str(scored.tables.path(Table.EPISODES)))
    kinds = dict(rows.select("episode_id", "sample_kind").iter_rows())
    for name, one in found.courses.items():
        assert one.control == (kinds[name] == "control")
        assert one.control == (one.onset_s is None)
        assert one.end_s > (one.onset_s or 0.0)
    assert 0 < sum(one.control for one in found.courses.values()) < len(members)


def test_another_content_than_the_set_names_is_refused(scored):
    first, *others = load_test_set(scored.layout, SPLIT).test
    changed = type(first)(episode_id=first.episode_id, sha256="0" * 64)
    with pytest.raises(WarehouseError, match="no longer hold"):
        load_basis(scored, [changed, *others], rule())


def test_an_episode_of_which_nothing_is_known_is_refused():
    one = Watched(phases=(CLEAN,) * 3, scores=(0.1,) * 3)
    with pytest.raises(EvaluationError, match="nothing else is known") as caught:
        courses_of(Basis(alarm=rule(), courses={}, purity=pa.table({})), predictions(one))
    assert caught.value.where == "e0000"


def test_each_window_gets_its_own_purity_and_an_unknown_one_is_missing():
    watched = [Watched(phases=(CLEAN,) * length, scores=(0.1,) * length) for length in (3, 2)]
    whole = basis(*watched)
    shuffled = whole.purity.set_column(
        2, "label_purity", pa.array([0.1, 0.2, 0.3, 0.4, 0.5], pa.float32())
    ).take([4, 2, 0, 3])
    known = Basis(alarm=whole.alarm, courses=whole.courses, purity=shuffled)
    found = purity_of(known, predictions(*watched))
    np.testing.assert_allclose(found, [0.1, np.nan, 0.3, 0.4, 0.5], rtol=1e-6)


def test_the_alarm_over_the_test_set_is_what_a_device_rings(scored):
    (record,) = (r for r in current_records(scored.layout, SPLIT) if r.fitted.family == "gbt")
    opened = open_bundle(ModelRegistry(scored.layout.models).find(record.fitted.bundle))
    rows = scored.tables.read(
        Table.PREDICTIONS,
        where=(pc.field("bundle") == record.fitted.bundle) & (pc.field("role") == TEST),
    )
    found = predictions_of(rows, key=record.evaluation.key, role=TEST)
    members = load_test_set(scored.layout, SPLIT).test
    # three rounds of trees hardly ever ring at the threshold of id_val
    alarm = rule(float(np.quantile(alarm_score(found.proba_NK), 0.6)))
    header = replace(opened.header, alarm=alarm)
    known = courses_of(load_basis(scored, members, alarm), found)
    trace = trace_alarm(found, known, alarm)
    rang = 0
    for place, (episode, its_course) in enumerate(zip(found.episodes, known, strict=True)):
        path = CORPUS / "episodes" / episode.host_id / f"{episode.episode_id}.tar.zst"
        device = Detector(header, window_scorer(opened))
        rings = [device.update(new_TC).rings for new_TC in strides(read_recording(path).x_TC)]
        mine_N = found.cluster_N == place
        assert trace.rings_N[mine_N].tolist() == [rings[w] for w in found.window_N[mine_N]]
        raised_s = trace.verdict_s_N[mine_N & trace.raised_N]
        if device.alarm_s is not None and device.alarm_s <= its_course.end_s:
            assert raised_s[0] == device.alarm_s
            rang += 1
    assert rang > 5
    detection = record.evaluation.measures.detection
    assert detection.alarm == opened.header.alarm
    assert detection.found.n_infected + detection.false_alarms.controls.n_episodes == len(members)

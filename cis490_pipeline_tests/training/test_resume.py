"""Killed or cancelled in the middle, every family ends as if nothing had happened."""

import signal
from dataclasses import replace

import pytest

from cis490_pipeline.errors import TrainingCancelledError
from cis490_pipeline.models.bundle import read_files, read_header
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline_tests.conformance.factory import request_for, run_job
from cis490_pipeline_tests.training.killed import VICTIMS, Victim, kill_all

NETWORKS = ("mlp", "cnn", "gru", "lstm", "transformer", "bert")


class Recorder:
    """Keeps the records."""

    def __init__(self):
        self.records = []

    def epoch(self, record):
        self.records.append(record)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Return the directory below which every victim was killed, and by what."""
    root = tmp_path_factory.mktemp("killed")
    return root, kill_all(root)


def _weights(directory, bundle):
    path = ModelRegistry(directory / "models").find(bundle)
    return read_files(path, read_header(path)[1])


@pytest.mark.parametrize("victim", VICTIMS, ids=lambda victim: victim.name)
def test_a_killed_fit_ends_with_exactly_the_weights_of_an_undisturbed_one(
    victim: Victim, killed, tmp_path
):
    root, ended_by = killed
    directory = root / victim.name
    assert ended_by[victim.name] == signal.SIGKILL
    assert len(list((directory / "models" / "attempts").glob("*/*.json"))) == 1
    resumed, undisturbed = Recorder(), Recorder()
    second = run_job(victim.request, directory, reporter=resumed)
    straight = run_job(victim.request, tmp_path, reporter=undisturbed)
    at = [(r.part, r.epoch) for r in undisturbed.records].index((victim.part, victim.epoch))
    # trees keep no checkpoint, alone or in a blend: their fit takes seconds to minutes
    trees = undisturbed.records[: at + 1] if victim.family == "gbt" else []
    if victim.family == "blend":
        trees = [r for r in undisturbed.records if r.part == "gbt"]
    assert resumed.records == [*trees, *undisturbed.records[at + 1 :]]
    assert len(undisturbed.records) > at + 1, "there was something left to do"
    assert second.history == straight.history
    assert _weights(directory, second.bundle) == _weights(tmp_path, straight.bundle)
    assert second.bundle == straight.bundle
    assert not list((directory / "work").glob("*"))


@pytest.mark.parametrize("name", NETWORKS)
def test_cancelling_takes_effect_within_an_epoch(tmp_path, name):
    # one epoch of 120 steps is all there is
    loop = {"epochs": 4, "batch_size": 2, "evaluation_steps": 120}
    answers = iter([False, True])
    recorder = Recorder()
    request = request_for(name, Mode.REALISTIC, **loop)
    with pytest.raises(TrainingCancelledError) as caught:
        run_job(request, tmp_path, reporter=recorder, cancelled=lambda: next(answers))
    assert "epoch 1" in caught.value.where
    assert [r for r in recorder.records if not r.part] == []
    assert list((tmp_path / "models" / "attempts").glob("*/*.json")) == []


def test_pre_training_is_cancelled_within_an_epoch_and_resumes(tmp_path):
    loop = {"epochs": 4, "batch_size": 2, "evaluation_steps": 120, "pretraining_steps": 240}
    request = request_for("bert", Mode.REALISTIC, **loop)
    # an epoch asks twice, so the fourth question comes in the middle of epoch 2
    answers = iter([False, False, False, True])
    first, second = Recorder(), Recorder()
    with pytest.raises(TrainingCancelledError) as caught:
        run_job(request, tmp_path, reporter=first, cancelled=lambda: next(answers))
    assert caught.value.where == "pre-training, epoch 2"
    assert [(r.part, r.epoch) for r in first.records] == [("pre-training", 1)]
    run_job(request, tmp_path, reporter=second)
    assert (second.records[0].part, second.records[0].epoch) == ("pre-training", 2)
    assert second.records[0].most_epochs == 2
    assert second.records[1].part == ""


def test_boosting_is_cancelled_between_its_rounds(tmp_path):
    answers = iter([False, True])
    request = request_for("gbt", Mode.REALISTIC, rounds=30)
    with pytest.raises(TrainingCancelledError) as caught:
        run_job(request, tmp_path, cancelled=lambda: next(answers))
    assert caught.value.where == "round 11"


def test_a_record_says_where_its_fit_ends_at_the_latest(tmp_path):
    for name, most in (("cnn", 4), ("gbt", 30)):
        recorder = Recorder()
        victim = next(one for one in VICTIMS if one.name == name)
        run_job(replace(victim.request, seed=1), tmp_path / name, reporter=recorder)
        assert {record.most_epochs for record in recorder.records} == {most}
        assert recorder.records[-1].epoch <= most

"""A job ends in a bundle once, resumes after a kill, and can be cancelled without harm."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from cis490_pipeline.errors import TrainingCancelledError, TrainingError
from cis490_pipeline.models.bundle import open_bundle, read_files, read_header
from cis490_pipeline.models.catalog import family
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.training.fit import fit_family
from cis490_pipeline.training.request import hyper_parameters_from_overrides
from cis490_pipeline_tests.conformance.factory import (
    Loader,
    cases_for,
    loader_for,
    make_cases,
    request_for,
    run_job,
)

CNN = request_for("cnn", Mode.REALISTIC, epochs=12, evaluation_steps=4)


class Recorder:
    """Keeps the records."""

    def __init__(self):
        self.records = []

    def epoch(self, record):
        self.records.append(record)


def weights_of(directory, bundle):
    path = ModelRegistry(directory / "models").find(bundle)
    return read_files(path, read_header(path)[1])


def test_a_fit_that_was_killed_ends_with_the_same_weights(tmp_path):
    code = (
        "import os, pathlib, sys\n"
        "from cis490_pipeline_tests.conformance.factory import run_job\n"
        "from cis490_pipeline_tests.training.test_run import CNN\n"
        "class Killer:\n"
        "    def epoch(self, record):\n"
        "        if record.epoch == 5:\n"
        "            os.kill(os.getpid(), 9)\n"
        "run_job(CNN, pathlib.Path(sys.argv[1]), reporter=Killer())\n"
    )
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    done = subprocess.run([sys.executable, "-c", code, str(killed)], check=False)
    assert done.returncode == -9
    assert len(list((killed / "work").iterdir())) == 1

    resumed, uninterrupted = Recorder(), Recorder()
    second = run_job(CNN, killed, reporter=resumed)
    straight = run_job(CNN, whole, reporter=uninterrupted)
    assert resumed.records[0].epoch == 6
    assert resumed.records == uninterrupted.records[5:]
    assert second.history == straight.history
    assert weights_of(killed, second.bundle) == weights_of(whole, straight.bundle)
    assert second.bundle == straight.bundle
    assert list((killed / "work").iterdir()) == []


@pytest.mark.parametrize("fault", ["torn", "foreign"])
def test_a_checkpoint_that_does_not_hold_is_not_patched_up(tmp_path, fault):
    calls = []

    def after_three():
        calls.append(1)
        return len(calls) > 3

    with pytest.raises(TrainingCancelledError):
        run_job(CNN, tmp_path, cancelled=after_three)
    (checkpoint,) = (tmp_path / "work").iterdir()
    provenance = {}
    if fault == "torn":
        checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    else:
        from cis490_pipeline.training.job import Provenance

        provenance = {"provenance": Provenance(code_commit="other", library_versions={})}
    recorder = Recorder()
    run_job(CNN, tmp_path, reporter=recorder, **provenance)
    assert recorder.records[0].epoch == 1


def test_cancelling_leaves_the_checkpoint_and_no_attempt(tmp_path):
    recorder = Recorder()
    with pytest.raises(TrainingCancelledError):
        run_job(CNN, tmp_path, reporter=recorder, cancelled=lambda: len(recorder.records) >= 2)
    assert len(recorder.records) == 2
    registry = ModelRegistry(tmp_path / "models")
    (checkpoint,) = (tmp_path / "work").iterdir()
    assert registry.attempts(checkpoint.stem) == ()
    again = Recorder()
    outcome = run_job(CNN, tmp_path, reporter=again)
    assert again.records[0].epoch == 3
    assert registry.by_identity(outcome.identity) == outcome.bundle


@pytest.mark.parametrize("name", ["gbt", "majority"])
def test_other_procedures_are_cancelled_too(tmp_path, name):
    mode = Mode.ANY if name == "majority" else Mode.REALISTIC
    with pytest.raises(TrainingCancelledError):
        run_job(request_for(name, mode), tmp_path, cancelled=lambda: True)


def test_a_seed_of_its_own_gives_other_weights_and_another_identity(tmp_path):
    first = run_job(CNN, tmp_path)
    second = run_job(replace(CNN, seed=1), tmp_path)
    assert first.identity != second.identity
    assert weights_of(tmp_path, first.bundle) != weights_of(tmp_path, second.bundle)


def test_a_fit_leaves_the_generators_and_threads_of_the_process_alone(tmp_path):
    torch.manual_seed(5)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    run_job(CNN, tmp_path)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.get_num_threads() == threads


def test_the_best_evaluation_is_the_one_that_is_kept(tmp_path):
    recorder = Recorder()
    outcome = run_job(CNN, tmp_path, reporter=recorder)
    header = open_bundle(ModelRegistry(tmp_path / "models").find(outcome.bundle)).header
    best = max(record.id_val_macro_f1 for record in recorder.records)
    assert outcome.id_val_macro_f1 == header.id_val_macro_f1 == best
    assert recorder.records[header.history.best_round - 1].id_val_macro_f1 == best


def test_patience_ends_a_fit_that_learns_nothing():
    generator = np.random.default_rng(0)
    train = make_cases(64, 3, seed=1)
    train = replace(train, y_N=generator.permutation(train.y_N))
    request = request_for(
        "cnn", Mode.REALISTIC, epochs=400, evaluation_steps=4, patience=2, min_steps=20
    )
    done = fit_family(
        request.spec, train, make_cases(40, 3, seed=2), hyper_parameters=request.hyper_parameters
    )
    assert 20 <= done.fitted.steps < 400
    assert done.fitted.rounds - done.fitted.best_round >= 2


@pytest.mark.parametrize(
    ("n_channels", "n_timepoints", "n_cases"),
    [(1, 8, 40), (1, 20, 40), (2, 1500, 12), (12, 29, 30)],
)
def test_the_network_takes_any_length_and_channel_count(n_channels, n_timepoints, n_cases):
    request = request_for("cnn", Mode.REALISTIC, epochs=2)
    train, id_val = (
        make_cases(n_cases, n_channels, seed=seed, n_timepoints=n_timepoints) for seed in (1, 2)
    )
    done = fit_family(request.spec, train, id_val, hyper_parameters=request.hyper_parameters)
    assert np.isfinite(done.fitted.classifier.predict_proba(id_val)).all()


def test_forty_univariate_cases_train_on_the_default_budget():
    train, id_val = (make_cases(40, 1, seed=seed) for seed in (1, 2))
    narrow = hyper_parameters_from_overrides("cnn", {"filters": 8, "blocks": 2})
    done = fit_family(family("cnn"), train, id_val, hyper_parameters=narrow)
    assert done.fitted.steps >= 600
    assert (done.fitted.id_val_macro_f1 or 0.0) > 0.7


@pytest.mark.parametrize(
    ("train_classes", "n_train", "n_id_val", "reason"),
    [
        ((0, 1), 0, 10, "no training cases"),
        ((3,), 10, 10, "one class only"),
        ((0, 1), 10, 0, "id_val is empty"),
    ],
)
@pytest.mark.parametrize("name", ["gbt", "cnn", "majority", "elapsed_time"])
def test_slices_that_cannot_carry_a_fit_say_what_to_do(
    tmp_path, name, train_classes, n_train, n_id_val, reason
):
    mode = Mode.ANY if name in ("majority", "elapsed_time") else Mode.REALISTIC
    train = cases_for(mode, max(n_train, 1), classes=train_classes)
    id_val = cases_for(mode, max(n_id_val, 1))
    load = Loader(_first(train, n_train), _first(id_val, n_id_val))
    with pytest.raises(TrainingError, match=reason) as caught:
        run_job(request_for(name, mode), tmp_path, load)
    assert caught.value.todo


def _first(cases, n):
    return replace(
        cases, y_N=cases.y_N[:n], cluster_N=cases.cluster_N[:n], t_center_s_N=cases.t_center_s_N[:n]
    )


def test_a_diverged_fit_is_an_error_that_says_so():
    request = request_for("cnn", Mode.REALISTIC)
    train, id_val = loader_for(Mode.REALISTIC).slices
    spec = request.spec

    def explode(hyper_parameters, shape):
        network = spec.fitting.build(hyper_parameters, shape)
        for parameter in network.parameters():
            parameter.data.fill_(float("inf"))
        return network

    broken = replace(spec, fitting=replace(spec.fitting, build=explode))
    with pytest.raises(TrainingError, match="diverged"):
        fit_family(broken, train, id_val, hyper_parameters=request.hyper_parameters)


def test_elapsed_time_follows_the_clock_and_holds_its_last_bin(tmp_path):
    outcome = run_job(request_for("elapsed_time", Mode.ANY), tmp_path)
    bundle = open_bundle(ModelRegistry(tmp_path / "models").find(outcome.bundle))
    cases = cases_for(Mode.ANY, 5)
    at = replace(cases, t_center_s_N=np.array([10.0, 50.0, 90.0, 1e4, 1e9]))
    p_NK = bundle.classifier.predict_proba(at)
    assert p_NK.argmax(axis=1).tolist() == [0, 2, 4, 4, 4]
    np.testing.assert_array_equal(p_NK[3], p_NK[4])


def test_majority_answers_the_priors_of_train(tmp_path):
    load = Loader(cases_for(Mode.ANY, 40, classes=(0, 0, 0, 1)), cases_for(Mode.ANY, 10))
    outcome = run_job(request_for("majority", Mode.ANY), tmp_path, load)
    bundle = open_bundle(ModelRegistry(tmp_path / "models").find(outcome.bundle))
    p_NK = bundle.classifier.predict_proba(cases_for(Mode.ANY, 1))
    assert p_NK.tolist() == [[0.75, 0.25, 0.0, 0.0, 0.0]]

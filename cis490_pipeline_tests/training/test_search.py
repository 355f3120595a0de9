"""A search tries the declared grid on id_val, logs it, and fits nothing twice."""

from dataclasses import replace

import numpy as np
import pytest

from cis490_pipeline.errors import ConfigurationError, TrainingCancelledError
from cis490_pipeline.models.bundle import open_bundle, read_files, read_header
from cis490_pipeline.models.catalog import FAMILIES, family
from cis490_pipeline.models.hyper_parameters import differences, with_overrides
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.training.search import search
from cis490_pipeline_tests.conformance.factory import loader_for, make_cases, request_for, run_job

GBT = replace(request_for("gbt", Mode.REALISTIC), search=True)
SEARCHED = [spec for spec in FAMILIES if spec.grid]


class Recorder:
    """Keeps the records, and may stop the fit after some of them."""

    def __init__(self, most=1_000_000):
        self.records, self._most = [], most

    def epoch(self, record):
        self.records.append(record)

    def enough(self):
        return len(self.records) >= self._most


def header_of(directory, bundle):
    return read_header(directory / "models" / bundle)[1]


def weights_of(directory, bundle):
    return read_files(directory / "models" / bundle, header_of(directory, bundle))


@pytest.mark.parametrize("spec", SEARCHED, ids=lambda spec: spec.name)
def test_a_grid_is_small_begins_with_the_defaults_and_repeats_nothing(spec):
    assert 3 <= len(spec.grid) <= 6
    assert spec.grid[0] == spec.hyper_parameters
    varied = [differences(one, spec.hyper_parameters) for one in spec.grid]
    assert all(varied[1:])
    assert len({str(one) for one in varied}) == len(varied)
    for one in spec.grid:
        assert with_overrides(one, {}, where="bounds") == one


def test_the_log_has_every_combination_and_the_best_is_taken(tmp_path):
    outcome = run_job(GBT, tmp_path)
    header = header_of(tmp_path, outcome.bundle)
    assert header.search == outcome.search
    assert [dict(trial.hyper_parameters) for trial in header.search] == [
        differences(one, family("gbt").hyper_parameters) for one in family("gbt").grid
    ]
    scores = [trial.id_val_macro_f1 for trial in header.search]
    (chosen,) = (trial for trial in header.search if trial.chosen)
    assert chosen is header.search[scores.index(max(scores))]
    assert header.id_val_macro_f1 == outcome.id_val_macro_f1 == max(scores)
    assert chosen.hyper_parameters.items() <= header.hyper_parameters.items()
    assert all((trial.seconds or 0) > 0 and trial.rounds >= 1 for trial in header.search)
    assert (chosen.rounds, chosen.best_round) == (header.history.rounds, header.history.best_round)
    assert open_bundle(tmp_path / "models" / outcome.bundle).header.identity == outcome.identity


def test_every_combination_is_what_a_fit_with_it_would_be(tmp_path):
    searched = run_job(GBT, tmp_path / "searched")
    for trial in searched.search:
        request = request_for("gbt", Mode.REALISTIC, **trial.hyper_parameters)
        alone = run_job(request, tmp_path / "alone")
        assert trial.identity == alone.identity
        assert trial.id_val_macro_f1 == alone.id_val_macro_f1
        again = run_job(request, tmp_path / "searched")
        assert again.reused, "a later request for a combination finds it made"
        if trial.chosen:
            assert weights_of(tmp_path / "searched", searched.bundle) == weights_of(
                tmp_path / "alone", alone.bundle
            )


def test_equal_scores_go_to_the_earlier_combination(tmp_path):
    one = run_job(request_for("gbt", Mode.REALISTIC), tmp_path)
    registry = ModelRegistry(tmp_path / "models")

    def chosen_of(*scores):
        left = iter(scores)
        found = search(
            GBT, lambda request, name: replace(one, id_val_macro_f1=next(left)), registry
        )
        return [trial.chosen for trial in found.trials].index(True)

    assert chosen_of(0.5, 0.5, 0.5, 0.5, 0.5) == 0
    assert chosen_of(0.5, 0.7, 0.6, 0.7, 0.1) == 1
    assert chosen_of(None, None, 0.0, None, None) == 2
    assert chosen_of(None, None, None, None, None) == 0


def test_the_same_search_is_reused_with_its_log(tmp_path):
    load = loader_for(Mode.REALISTIC)
    first = run_job(GBT, tmp_path, load)
    second = run_job(GBT, tmp_path, load)
    assert (first.reused, second.reused, load.calls) == (False, True, 1)
    assert (second.bundle, second.search) == (first.bundle, first.search)


def test_two_searches_of_one_seed_choose_alike(tmp_path):
    first, second = (run_job(GBT, tmp_path / name) for name in ("a", "b"))
    timeless = [
        [replace(trial, seconds=None) for trial in outcome.search] for outcome in (first, second)
    ]
    assert timeless[0] == timeless[1]
    assert weights_of(tmp_path / "a", first.bundle) == weights_of(tmp_path / "b", second.bundle)


def test_a_cancelled_search_fits_nothing_again_that_is_finished(tmp_path):
    small = {"epochs": 4, "evaluation_steps": 4, "filters": 64}  # as wide as the defaults
    request = replace(request_for("cnn", Mode.REALISTIC, **small), search=True)
    first = Recorder(most=6)  # four epochs of the first combination, two of the second
    with pytest.raises(TrainingCancelledError):
        run_job(request, tmp_path, reporter=first, cancelled=first.enough)
    second = Recorder()
    outcome = run_job(request, tmp_path, reporter=second)
    whole = Recorder()
    straight = run_job(request, tmp_path / "straight", reporter=whole)
    assert second.records == whole.records[6:]
    assert second.records[0].part == "combination 2 of 4"
    assert weights_of(tmp_path, outcome.bundle) == weights_of(
        tmp_path / "straight", straight.bundle
    )
    assert all(trial.seconds is not None for trial in outcome.search)
    assert not list((tmp_path / "work").glob("*"))


def test_id_val_decides_and_train_labels_alone_do_not(tmp_path):
    """Of two id_vals each gets the combination that serves it."""
    load = loader_for(Mode.REALISTIC)
    by_id_val = {}
    for seed in range(2, 6):
        generator = np.random.default_rng(seed)
        id_val = make_cases(30, 25, seed=seed)
        noisy = replace(id_val, y_N=generator.integers(0, 5, 30))
        outcome = run_job(GBT, tmp_path / str(seed), lambda noisy=noisy: (load.slices[0], noisy))
        by_id_val[seed] = [trial.chosen for trial in outcome.search].index(True)
    assert len(set(by_id_val.values())) > 1


def test_all_combinations_of_a_pre_trained_family_begin_from_one_trunk(tmp_path):
    outcome = run_job(replace(request_for("bert", Mode.REALISTIC), search=True), tmp_path)
    trunks = {
        header_of(tmp_path, ModelRegistry(tmp_path / "models").by_identity(trial.identity)).trunk
        for trial in outcome.search
    }
    assert trunks == {header_of(tmp_path, outcome.bundle).trunk}
    assert None not in trunks


@pytest.mark.parametrize("name", ["majority", "elapsed_time", "grammar_only", "knn", "logistic"])
def test_a_family_with_nothing_to_search_says_so(name):
    mode = family(name).modes[0]
    with pytest.raises(ConfigurationError, match="nothing to search") as caught:
        replace(request_for(name, mode), search=True)
    assert name in caught.value.where


def test_what_is_given_is_not_searched_as_well():
    with pytest.raises(ConfigurationError, match="both given and searched") as caught:
        replace(request_for("gbt", Mode.REALISTIC, depth=5, l2=2.0), search=True)
    assert caught.value.found == "depth"
    kept = replace(request_for("gbt", Mode.REALISTIC, l2=2.0), search=True)
    assert {trial.hyper_parameters.l2 for trial in kept.trials} == {2.0}


def test_a_plain_fit_has_no_log(tmp_path):
    outcome = run_job(request_for("gbt", Mode.REALISTIC), tmp_path)
    assert outcome.search == header_of(tmp_path, outcome.bundle).search == ()

"""The pre-trained trunk: no label and no id_val in it, made once, found by all."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from cis490_pipeline.datasets.cases import ArraySequences
from cis490_pipeline.edge.header import HEADER_FILE, encode_header
from cis490_pipeline.errors import (
    AttemptsExhaustedError,
    BundleError,
    ConfigurationError,
    SchemaMismatchError,
    TrainingCancelledError,
    TrainingError,
)
from cis490_pipeline.models.bundle import open_bundle, read_header, read_trunk_header
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.models.trunk_header import TRUNK_FILE
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.training.fit import fit_family
from cis490_pipeline.training.identity import job_identity, trunk_identity
from cis490_pipeline.training.job import Job, Workshop
from cis490_pipeline.training.trunk import obtain_trunk, trunk_bytes
from cis490_pipeline_tests.conformance.factory import (
    PROVENANCE,
    Loader,
    cases_for,
    loader_for,
    request_for,
    run_job,
)

BERT = request_for("bert", Mode.REALISTIC)
TRAIN = cases_for(Mode.REALISTIC, 60, seed=1)


def job_of(request=BERT, **changes):
    job = Job(
        request=request,
        split="host=lab-b",
        training_set_hash="a" * 64,
        training_ids_hash="b" * 64,
        provenance=PROVENANCE,
    )
    return replace(job, **changes)


def workshop_in(directory, **options):
    registry = ModelRegistry(directory / "models")
    return Workshop(registry=registry, work_dir=directory / "work", **options)


def trunk_of(directory, train=TRAIN, request=BERT):
    """Pre-train in a directory of its own and return the bundle and its bytes."""
    workshop = workshop_in(directory)
    made = obtain_trunk(job_of(request), lambda: train, workshop)
    return made.bundle, trunk_bytes(workshop.registry, made.bundle)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return trunk_of(tmp_path_factory.mktemp("plain"))


def test_labels_play_no_part(plain, tmp_path):
    generator = np.random.default_rng(0)
    permuted = replace(TRAIN, y_N=generator.permutation(TRAIN.y_N))
    assert not np.array_equal(permuted.y_N, TRAIN.y_N)
    assert trunk_of(tmp_path / "permuted", permuted) == plain
    assert trunk_of(tmp_path / "constant", replace(TRAIN, y_N=np.zeros_like(TRAIN.y_N))) == plain


def test_the_values_and_the_seed_do(plain, tmp_path):
    """The comparison above can fail."""
    x_NCT = TRAIN.sequences.x_NCT.copy()
    x_NCT[0, 0] += 1.0
    other = replace(TRAIN, sequences=ArraySequences(x_NCT=x_NCT))
    assert trunk_of(tmp_path / "values", other)[1] != plain[1]
    assert trunk_of(tmp_path / "seed", request=replace(BERT, seed=1))[1] != plain[1]


def test_id_val_plays_no_part(plain, tmp_path):
    bundles = set()
    for seed in (2, 3):
        directory = tmp_path / str(seed)
        outcome = run_job(BERT, directory, Loader(TRAIN, cases_for(Mode.REALISTIC, 30, seed=seed)))
        bundles.add(read_header(directory / "models" / outcome.bundle)[1].trunk)
    assert bundles == {plain[0]}


def test_what_only_fine_tuning_looks_at_changes_neither_trunk_nor_identity(plain, tmp_path):
    tuned = request_for("bert", Mode.REALISTIC, learning_rate=0.01, label_smoothing=0.0, patience=3)
    assert trunk_identity(job_of(tuned)) == trunk_identity(job_of())
    assert job_identity(job_of(tuned)) != job_identity(job_of())
    assert trunk_of(tmp_path, request=tuned) == plain


def test_everything_else_is_part_of_the_identity():
    found = [
        trunk_identity(job_of()),
        trunk_identity(job_of(replace(BERT, seed=1))),
        trunk_identity(job_of(request_for("bert", Mode.ORACLE))),
        trunk_identity(job_of(request_for("bert", Mode.REALISTIC, pretraining_steps=11))),
        trunk_identity(job_of(request_for("bert", Mode.REALISTIC, dropout=0.1))),
        trunk_identity(job_of(replace(BERT, statuses=("accepted", "degraded")))),
        trunk_identity(job_of(split="host=lab-a")),
        trunk_identity(job_of(training_ids_hash="c" * 64)),
    ]
    assert len(set(found)) == len(found)
    assert trunk_identity(job_of(training_set_hash="c" * 64)) == found[0], "of train alone"


@pytest.mark.parametrize("search", [False, True])
def test_the_identity_of_a_model_holds_that_of_its_trunk_and_of_no_other(search):
    bert = replace(request_for("bert", Mode.REALISTIC), search=search)
    cnn = request_for("cnn", Mode.REALISTIC)
    for request, moves in ((bert, True), (cnn, False)):
        one = job_of(request)
        other = replace(one, training_ids_hash="c" * 64)  # only a trunk's identity has this in it
        assert (job_identity(one) != job_identity(other)) is moves


def test_the_model_begins_from_the_trunk_and_says_so(plain, tmp_path):
    outcome = run_job(BERT, tmp_path)
    _, header = read_header(tmp_path / "models" / outcome.bundle)
    _, trunk = read_trunk_header(tmp_path / "models" / header.trunk)
    assert header.trunk == plain[0]
    assert (trunk.identity, trunk.training_ids_hash) == (trunk_identity(job_of()), "b" * 64)
    assert trunk.hyper_parameters["pretraining_steps"] == 10
    assert "learning_rate" not in trunk.hyper_parameters
    assert (trunk.n_channels, trunk.n_timepoints) == (25, 20)
    plain_cnn = run_job(request_for("cnn", Mode.REALISTIC), tmp_path)
    assert read_header(tmp_path / "models" / plain_cnn.bundle)[1].trunk is None


def test_made_in_memory_it_gives_the_same_model(tmp_path):
    load = loader_for(Mode.REALISTIC)
    outcome = run_job(BERT, tmp_path, load)
    stored = open_bundle(tmp_path / "models" / outcome.bundle).classifier.weights()
    done = fit_family(BERT.spec, *load.slices, hyper_parameters=BERT.hyper_parameters)
    assert done.fitted.classifier.weights() == stored


def test_it_is_made_once_for_all_who_begin_from_it(tmp_path):
    workshop, load = workshop_in(tmp_path), loader_for(Mode.REALISTIC)
    first = obtain_trunk(job_of(), lambda: load()[0], workshop)
    second = obtain_trunk(job_of(), lambda: load()[0], workshop)
    assert (first.reused, second.reused, load.calls) == (False, True, 1)
    parts = []

    class Parts:
        def epoch(self, record):
            parts.append(record.part)

    outcome = run_job(BERT, tmp_path, load, reporter=Parts())
    assert set(parts) == {""}, "nothing was pre-trained again"
    assert read_header(tmp_path / "models" / outcome.bundle)[1].trunk == first.bundle


def test_a_damaged_trunk_is_made_again(tmp_path):
    workshop = workshop_in(tmp_path)
    first = obtain_trunk(job_of(), lambda: TRAIN, workshop)
    path = workshop.registry.root / first.bundle / TRUNK_FILE
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    second = obtain_trunk(job_of(), lambda: TRAIN, workshop)
    assert (second.reused, second.bundle) == (False, first.bundle)
    assert trunk_bytes(workshop.registry, second.bundle)


def test_failures_are_counted_and_cancelling_is_not(tmp_path):
    with pytest.raises(TrainingCancelledError):
        obtain_trunk(job_of(), lambda: TRAIN, workshop_in(tmp_path, cancelled=lambda: True))
    workshop = workshop_in(tmp_path)
    assert workshop.registry.attempts(trunk_identity(job_of())) == ()
    nothing = Loader(replace(TRAIN, y_N=TRAIN.y_N[:0]), TRAIN)
    for _ in range(3):
        with pytest.raises(TrainingError, match="no training cases"):
            obtain_trunk(job_of(), lambda: nothing()[0], workshop)
    with pytest.raises(AttemptsExhaustedError):
        run_job(BERT, tmp_path)
    assert nothing.calls == 3


def test_it_is_no_model_and_no_model_is_a_trunk(plain, tmp_path):
    workshop = workshop_in(tmp_path)
    trunk = obtain_trunk(job_of(), lambda: TRAIN, workshop).bundle
    with pytest.raises(BundleError, match="foreign format") as caught:
        open_bundle(workshop.registry.root / trunk)
    assert "trunk-1" in caught.value.found
    model = run_job(request_for("majority", Mode.ANY), tmp_path).bundle
    with pytest.raises(BundleError, match="foreign format"):
        read_trunk_header(workshop.registry.root / model)


@pytest.mark.parametrize(
    ("changes", "error", "reason"),
    [
        ({"surplus": 1}, BundleError, "canonical"),
        ({"mode": "psychic"}, BundleError, "other fields"),
        ({"files": {}}, BundleError, "one file"),
        ({"files": {"../x": {"sha256": "0" * 64, "bytes": 1}}}, BundleError, "one file"),
        ({"schema_fingerprint": "0" * 64}, BundleError, "fingerprint"),
        ({"format_version": 3}, BundleError, "foreign format"),
        ({"schema": {}}, SchemaMismatchError, "feature schema"),
    ],
)
def test_headers_that_this_code_would_not_write_are_refused(tmp_path, changes, error, reason):
    workshop = workshop_in(tmp_path)
    bundle = obtain_trunk(job_of(), lambda: TRAIN, workshop).bundle
    _, header = read_trunk_header(workshop.registry.root / bundle)
    raw = json.loads(encode_header(header))
    data = json.dumps({**raw, **changes}, separators=(",", ":"), ensure_ascii=False).encode()
    assert json.dumps(raw, separators=(",", ":"), ensure_ascii=False).encode() == encode_header(
        header
    ), "nothing but the change is refused"
    directory = tmp_path / hashlib.sha256(data).hexdigest()
    directory.mkdir()
    (directory / HEADER_FILE).write_bytes(data)
    with pytest.raises(error, match=reason):
        read_trunk_header(directory)


@pytest.mark.parametrize("trunk", ["of another width", "no safetensors"])
def test_what_does_not_fit_the_network_is_refused(plain, trunk):
    load = loader_for(Mode.REALISTIC)
    wider = request_for("bert", Mode.REALISTIC, width=16)
    data = plain[1] if trunk == "of another width" else b"\0" * 40
    with pytest.raises(BundleError, match="trunk"):
        fit_family(wider.spec, *load.slices, hyper_parameters=wider.hyper_parameters, trunk=data)


def test_a_family_without_pre_training_has_none(tmp_path):
    job = job_of(request_for("cnn", Mode.REALISTIC))
    with pytest.raises(ConfigurationError, match="not pre-trained"):
        obtain_trunk(job, lambda: TRAIN, workshop_in(tmp_path))

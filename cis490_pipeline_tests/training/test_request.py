"""Requests are validated, and the identity holds exactly what the model depends on."""

from dataclasses import replace

import pytest

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.models import blend as models_blend
from cis490_pipeline.models.catalog import family
from cis490_pipeline.models.gbt import GbtHyperParameters
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.schema.fingerprint import current_schema
from cis490_pipeline.training.identity import job_identity, request_identity
from cis490_pipeline.training.job import Job
from cis490_pipeline.training.on_split import FitOptions, request_of
from cis490_pipeline.training.request import hyper_parameters_from_overrides
from cis490_pipeline_tests.conformance.factory import PROVENANCE, request_for

GBT = request_for("gbt", Mode.REALISTIC)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"family": "perceptron"}, "no such model family"),
        ({"mode": Mode.ANY}, "does not have this mode"),
        ({"hyper_parameters": family("cnn").hyper_parameters}, "another family"),
        ({"hyper_parameters": GbtHyperParameters(depth=0)}, "out of bounds"),
        ({"seed": -1}, "seed"),
        ({"statuses": ()}, "no status"),
    ],
)
def test_a_request_that_cannot_work_is_refused(changes, reason):
    with pytest.raises(ConfigurationError, match=reason):
        replace(GBT, **changes)


def test_baselines_have_only_the_mode_any():
    for name in ("majority", "elapsed_time"):
        assert family(name).modes == (Mode.ANY,)
        with pytest.raises(ConfigurationError):
            request_for(name, Mode.ORACLE)


def test_overrides_come_as_numbers_or_text():
    found = hyper_parameters_from_overrides("gbt", {"depth": "6", "l2": 2})
    assert found == GbtHyperParameters(depth=6, l2=2.0)


@pytest.mark.parametrize(
    "overrides",
    [
        {"depht": 3},
        {"depth": "deep"},
        {"depth": 0},
        {"depth": True},
        {"depth": 2.5},
        {"l2": None},
        {"l2": float("nan")},
        {"l2": "inf"},
    ],
)
def test_wrong_overrides_are_refused_by_name(overrides):
    with pytest.raises(ConfigurationError) as caught:
        hyper_parameters_from_overrides("gbt", overrides)
    assert next(iter(overrides)) in caught.value.found


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ConfigurationError, match="row_share"):
        hyper_parameters_from_overrides("gbt", {"subsample": 1})


def _identity(request=GBT, **changes):
    job = Job(
        request=request,
        split="host=lab-b",
        training_set_hash="a",
        training_ids_hash="b",
        provenance=PROVENANCE,
    )
    return job_identity(replace(job, **changes))


def test_everything_that_matters_changes_the_identity():
    found = [
        _identity(),
        _identity(replace(GBT, seed=1)),
        *(_identity(replace(GBT, context=context)) for context in Context if context != "none"),
        _identity(replace(GBT, phase_filter=True)),
        _identity(replace(GBT, mode=Mode.ORACLE)),
        _identity(replace(GBT, statuses=("accepted", "degraded"))),
        _identity(replace(GBT, hyper_parameters=GbtHyperParameters(depth=7))),
        _identity(request_for("cnn", Mode.REALISTIC)),
        _identity(split="host=lab-a"),
        _identity(training_set_hash="b"),
        _identity(schema=replace(current_schema(), extraction_version=99)),
        _identity(replace(GBT, search=True)),
    ]
    assert len(set(found)) == len(found)
    assert all(len(identity) == 64 for identity in found)


def _asked(request=GBT, *, split="host=lab-b", schema=None):
    return request_identity(request, split, schema or current_schema())


def test_what_is_asked_for_has_an_identity_before_there_is_a_training_set():
    found = [
        _asked(),
        _asked(replace(GBT, seed=1)),
        *(_asked(replace(GBT, context=context)) for context in Context if context != "none"),
        _asked(replace(GBT, phase_filter=True)),
        _asked(replace(GBT, mode=Mode.ORACLE)),
        _asked(replace(GBT, hyper_parameters=GbtHyperParameters(depth=7))),
        _asked(request_for("bert", Mode.REALISTIC)),
        _asked(split="host=lab-a"),
        _asked(schema=replace(current_schema(), extraction_version=99)),
        _asked(replace(GBT, search=True)),
    ]
    assert len(set(found)) == len(found)
    assert _asked(replace(GBT, statuses=("accepted",))) == _asked()
    assert _identity() not in found


def test_a_blend_is_another_where_a_member_is(monkeypatch: pytest.MonkeyPatch):
    blend = request_for("blend", Mode.REALISTIC)
    before = _identity(blend)
    shallower = replace(family("gbt"), hyper_parameters=GbtHyperParameters(depth=3))
    monkeypatch.setattr(models_blend, "GBT", shallower)
    assert _identity(blend) != before


def test_the_order_of_statuses_and_whole_floats_do_not():
    one = replace(GBT, statuses=("degraded", "accepted"))
    two = replace(GBT, statuses=("accepted", "degraded"))
    assert _identity(one) == _identity(two)
    whole = replace(GBT, hyper_parameters=GbtHyperParameters(l2=2))
    assert _identity(whole) == _identity(replace(GBT, hyper_parameters=GbtHyperParameters(l2=2.0)))


@pytest.mark.parametrize(
    ("name", "mode", "context"),
    [
        ("grammar_only", Mode.ANY, Context.TRANSDUCTIVE),
        ("majority", Mode.ANY, Context.RECENT),
        ("elapsed_time", Mode.ANY, Context.RECENT),
    ],
)
def test_a_context_that_the_family_does_not_have_is_refused(name, mode, context):
    with pytest.raises(ConfigurationError, match="context") as caught:
        replace(request_for(name, mode), context=context)
    assert caught.value.found == context.value


@pytest.mark.parametrize(
    ("context", "given", "filters"),
    [
        (Context.NONE, None, False),
        (Context.RECENT, None, True),
        (Context.NONE, True, True),
        (Context.RECENT, False, False),
    ],
)
def test_who_looks_back_is_filtered_unless_told_otherwise(context, given, filters):
    options = FitOptions(family="gbt", mode=Mode.REALISTIC, context=context, phase_filter=given)
    assert request_of(options, ("accepted",)).phase_filter is filters

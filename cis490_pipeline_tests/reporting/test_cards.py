"""Cards: everything quoted, absent shown as absent, names escaped."""

import dataclasses

import pytest

from cis490_pipeline.edge.header import Trial
from cis490_pipeline.reporting.cards import ModelFacts, model_card
from cis490_pipeline_tests.evaluation.made_up import key_of
from cis490_pipeline_tests.reporting.made_up_reports import GBT, plain_report

FACTS = ModelFacts(
    key=key_of("gbt"),
    bundle="ab" * 32,
    identity="cd" * 32,
    split="host=lab-b",
    claim="a device that no model has seen",
    training_ids_hash="ef" * 32,
    statuses=("accepted", "degraded"),
    labels=("clean", "armed"),
    n_channels=150,
    hyper_parameters=(("max_depth", "4"), ("eta", "0.1")),
    phase_filter="sharpness 2, inertia 0.5",
    temperature=1.25,
    id_val_macro_f1=None,
    schema_fingerprint="12" * 32,
    library_versions=(("xgboost", "3.1.0"),),
    code_commit="",
    size_bytes=12345,
)


def _plain(text: str) -> str:
    return text.replace("\\", "")


def test_model_card_quotes_the_header_and_the_evaluation():
    evaluation = plain_report().evaluation(GBT)
    text = _plain(model_card(FACTS, evaluation))
    for _, value in (*FACTS.hyper_parameters, *FACTS.library_versions):
        assert f"| {value} |" in text
    macro = evaluation.macro_f1
    assert f"Macro F1 {macro.point:.2f} [{macro.low:.2f}, {macro.high:.2f}], 24 episodes" in text
    assert "conditional on host lab-b" in text
    assert "| scan-and-dial | untested | untested | untested | 0 |" in text
    assert "| armed | untested | 0 |" in text
    assert "| macro F1 on id_val | – |" in text
    assert FACTS.bundle in text


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ("none", "one window at a time"),
        ("commissioned", "assumes that the device was clean"),
        ("transductive", "neither exported nor recommended"),
    ],
)
def test_model_card_says_what_its_context_asks_for(context, words):
    key = dataclasses.replace(FACTS.key, context=context)
    text = model_card(dataclasses.replace(FACTS, key=key), None)
    assert words in text
    assert "| phase filter | sharpness 2, inertia 0.5 |" in _plain(text)


def test_model_card_shows_what_was_tried_and_warns_of_its_score():
    trials = tuple(
        Trial(
            identity="ab" * 32,
            hyper_parameters=varied,
            id_val_macro_f1=score,
            rounds=30,
            best_round=12,
            seconds=1.25,
            chosen=chosen,
        )
        for varied, score, chosen in (({}, None, False), ({"depth": 3}, 0.71239, True))
    )
    text = _plain(model_card(dataclasses.replace(FACTS, search=trials, trunk="cd" * 32), None))
    assert "| defaults | – | 30 | 12 | 1.2 |  |" in text
    assert "| depth 3 | 0.7124 | 30 | 12 | 1.2 | chosen |" in text
    assert "best of 2 declared combinations" in text
    assert "too high" in text
    assert f"| pre-trained trunk | {'cd' * 32} |" in text
    plain = _plain(model_card(FACTS, None))
    assert "Not searched" in plain
    assert "too high" not in plain
    assert "trunk" not in plain


def test_bundle_without_test_set_claims_no_score():
    assert "no score is claimed" in model_card(FACTS, None)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a|b", "![x](http://e/x)", "x\ny"])
def test_hostile_names_are_text_in_cards(name):
    facts = dataclasses.replace(FACTS, claim=name, split=name, hyper_parameters=((name, name),))
    text = model_card(facts, None)
    assert "<" not in text
    assert "http://" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in rows)
    assert "\ny" not in text

"""The published schemas: what the code generates, and what real files hold to."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from cis490_pipeline.quality.alerts import AlertsReading
from cis490_pipeline.reporting.publish import publish_comparison
from cis490_pipeline.reporting.publish_cards import publish_model_cards
from cis490_pipeline.reporting.publish_data import publish_data_card
from cis490_pipeline.reporting.publish_folds import publish_folds
from cis490_pipeline.reporting.published import (
    COMPARISON,
    KINDS,
    Kind,
    published_comparison,
    published_json,
    schema_of,
)
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.datasets.smoke import (
    CHEAP,
    SPLIT,
    copy_of,
    fit,
    plan,
    score,
    scored_warehouse,
)
from cis490_pipeline_tests.reporting.made_up_reports import plain_report


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_the_schema_in_the_repository_is_what_the_code_generates(kind: Kind) -> None:
    held = files("cis490_pipeline.reporting").joinpath("schema", kind.schema_name).read_bytes()
    assert held == schema_of(kind), (
        "the figures changed: python -m cis490_pipeline_tests.reporting.write_schemas, and raise "
        "the version where a field went away or means something else"
    )
    Draft202012Validator.check_schema(json.loads(held))


def validated(path: Path) -> dict:
    """Return a file's figures after holding them to the schema that they name."""
    found = json.loads(path.read_text("utf-8"))
    schema = json.loads((path.parent / found["$schema"]).read_text("utf-8"))
    Draft202012Validator(schema).validate(found)
    assert schema["$id"] == f"urn:{found['format'].replace('.', ':', 1)}:{found['version']}"
    return found


def test_every_published_file_holds_to_the_schema_beside_it(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    warehouse: Warehouse = copy_of(scored_warehouse(tmp_path_factory), tmp_path / "data")
    report = validated(publish_comparison(warehouse, SPLIT).json)
    assert report["quality"], "verdicts of the split's hosts are part of it"
    cards = publish_model_cards(warehouse, SPLIT)
    for card in cards.paths:
        assert validated(card.with_suffix(".json"))["evaluation"]["scope"]["split"] == SPLIT
    validated(publish_data_card(warehouse, [], AlertsReading(alerts=(), n_damaged=0)).json)
    validated(publish_folds(warehouse).json)
    plan(warehouse, "deploy")
    fit(warehouse, "deploy", CHEAP[0])
    score(warehouse, "deploy", CHEAP[0])
    assert validated(publish_comparison(warehouse, "deploy").json)["format"] == "cis490.untested"


def test_a_field_that_is_missing_or_unknown_does_not_pass() -> None:
    figures = json.loads(published_json(COMPARISON, published_comparison(plain_report())))
    validator = Draft202012Validator(json.loads(schema_of(COMPARISON)))
    validator.validate(figures)
    for changed in (
        {name: value for name, value in figures.items() if name != "recommended"},
        {**figures, "accuracy": 0.99},
        {**figures, "version": 99},
    ):
        with pytest.raises(ValidationError):
            validator.validate(changed)

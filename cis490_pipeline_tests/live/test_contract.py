"""The contract's files are what the code says, and what is sent is what they say."""

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest

from cis490_pipeline.live.contract import PAGE_FILE, SCHEMA_FILE, page, schema, schema_bytes
from cis490_pipeline.live.events import (
    EVENT_TYPES,
    PUBLISHABLE,
    STATE_TOPICS,
    Topic,
)
from cis490_pipeline.live.holdings import Holdings
from cis490_pipeline.live.page_palette import PALETTE_FILE, palette_bytes
from cis490_pipeline_tests.live.hubs import living_hub
from cis490_pipeline_tests.live.made_up import embedding, mix, perf, phase


def test_the_page_and_the_schema_are_generated() -> None:
    assert PAGE_FILE.read_text("utf-8") == page()
    assert SCHEMA_FILE.read_bytes() == schema_bytes()
    assert PALETTE_FILE.read_bytes() == palette_bytes()  # the colours of the reports


def test_every_topic_has_a_type_and_is_described() -> None:
    text = page()
    assert set(EVENT_TYPES) == set(Topic)
    assert set(Topic) >= STATE_TOPICS | PUBLISHABLE
    for topic in Topic:
        assert f"### `{topic.value}`" in text
        assert f"| `{topic.value}` | {'state' if topic in STATE_TOPICS else 'stream'} |" in text


def test_what_is_sent_is_as_the_schema_says(tmp_path: Path) -> None:
    check = jsonschema.Draft202012Validator(schema())
    empty = Holdings().snapshot(0.0, index_damage=0, bytes_behind=0)
    with living_hub(tmp_path) as served, served.listen("0" * 16 + "-1") as listening:
        for event in (empty, mix(), perf(), phase(), embedding()):
            served.on_loop(lambda event=event: served.hub.publish(event))
        heard = listening.until(lambda one: one["topic"] == "embedding")
        assert [one["topic"] for one in heard][:2] == ["hello", "gap"]
        for message in heard:
            check.validate(message)
        status, _, content = served.ask("GET", "/v1/events.schema.json")
        assert (status, json.loads(content)) == (200, schema())


@pytest.mark.parametrize("field", ["data", "seq", "topic"])
def test_the_schema_can_refuse(field: str) -> None:
    message = {"topic": "phase", "seq": 1, "at": 1.0, "producer": None}
    message["data"] = msgspec.to_builtins(phase())
    check = jsonschema.Draft202012Validator(schema())
    assert check.is_valid(message)
    assert not check.is_valid({**message, field: "else"})

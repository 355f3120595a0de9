"""A bundle of another feature schema is refused, and the refusal names the first difference."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.errors import Cis490Error, SchemaMismatchError
from cis490_pipeline.schema.channels import CHANNELS, SOURCE_FACTS
from cis490_pipeline.schema.fingerprint import (
    ChannelSchema,
    FeatureSchema,
    current_schema,
    feature_schema_of,
    first_difference,
    require_schema,
    schema_from_json,
)

NOW = current_schema()
LOAD1 = 17  # position of guest.load1, a gauge that a device in the field has


def with_channel(position: int, **changes: Any) -> FeatureSchema:
    channels = list(NOW.channels)
    channels[position] = replace(channels[position], **changes)
    return replace(NOW, channels=tuple(channels))


def swapped(a: int, b: int) -> FeatureSchema:
    channels = list(NOW.channels)
    channels[a], channels[b] = channels[b], channels[a]
    return replace(NOW, channels=tuple(channels))


# what changed, and what the refusal must say
CHANGES: dict[str, tuple[FeatureSchema, str]] = {
    "order": (swapped(LOAD1, LOAD1 + 1), "channel 17 (guest.load1): name is 'procs_running'"),
    "order across sources": (swapped(12, 13), "channel 12 (proc.nonvoluntary_ctxt_switches)"),
    "kind": (with_channel(LOAD1, kind="counter"), "kind is 'counter' in the artifact, 'gauge'"),
    "mode": (with_channel(LOAD1, realistic=False), "channel 17 (guest.load1): realistic is False"),
    "name": (with_channel(0, name="user"), "channel 0 (proc.utime_ticks): name is 'user'"),
    "source": (with_channel(45, source="pcap"), "channel 45 (netflow.udp_packets): source is"),
    "period": (with_channel(3, period_ns=1), "channel 3 (proc.vsz_bytes): period_ns is 1"),
    "staleness": (with_channel(3, staleness_ns=1), "staleness_ns is 1 in the artifact"),
    "one less": (replace(NOW, channels=NOW.channels[:-1]), "udp_packets) is not in the artifact"),
    "one more": (
        replace(NOW, channels=(*NOW.channels, replace(NOW.channels[0], name="extra"))),
        "channel 46 (proc.extra) is only in the artifact",
    ),
    "tick": (replace(NOW, tick_ns=50_000_000), "tick_ns is 50000000 in the artifact, 100000000"),
    "window": (replace(NOW, window_ticks=200), "window_ticks is 200 in the artifact, 100 here"),
    "stride": (replace(NOW, stride_ticks=100), "stride_ticks is 100 in the artifact, 50 here"),
    "stats": (replace(NOW, stats=NOW.stats[::-1]), "stats is ('missing', 'slope'"),
    "phases": (replace(NOW, phases=NOW.phases[:-1]), "phases is ('clean', 'armed'"),
    "version": (replace(NOW, extraction_version=99), "extraction_version is 99 in the artifact"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_any_change_is_another_fingerprint_and_is_named(what: str) -> None:
    theirs, expected = CHANGES[what]
    assert theirs.fingerprint != NOW.fingerprint
    difference = first_difference(theirs, NOW)
    assert difference is not None
    assert expected in difference


def test_no_two_of_these_changes_share_a_fingerprint() -> None:
    fingerprints = {schema.fingerprint for schema, _ in CHANGES.values()}
    assert len(fingerprints) == len(CHANGES)
    assert all(len(one) == 64 and int(one, 16) >= 0 for one in fingerprints)


def test_equal_schemas_have_no_difference() -> None:
    same = feature_schema_of(CHANNELS)
    assert same is not NOW
    assert first_difference(same, NOW) is None
    assert same.fingerprint == NOW.fingerprint
    require_schema(same, where="bundle x")


def test_todays_schema_holds_every_fact_of_every_channel() -> None:
    facts = [
        (c.source, c.name, c.kind, c.realistic, SOURCE_FACTS[c.source].period_ns) for c in CHANNELS
    ]
    held = [(c.source, c.name, c.kind, c.realistic, c.period_ns) for c in NOW.channels]
    assert held == facts
    assert [c.staleness_ns for c in NOW.channels] == [
        SOURCE_FACTS[c.source].staleness_ns for c in CHANNELS
    ]
    assert sum(c.realistic for c in NOW.channels) == 25


def test_of_several_differences_the_first_is_named() -> None:
    theirs = with_channel(20, kind="delta")
    both = replace(theirs, channels=(*theirs.channels[:30], *theirs.channels[31:]))
    assert "channel 20" in str(first_difference(both, NOW))
    assert "tick_ns" in str(first_difference(replace(both, tick_ns=1), NOW))


def test_the_refusal_says_where_what_and_what_to_do() -> None:
    theirs = with_channel(LOAD1, kind="counter")
    with pytest.raises(SchemaMismatchError) as caught:
        require_schema(theirs, where="bundle 12ab")
    text = str(caught.value)
    assert text.startswith("made for another feature schema: channel 17 (guest.load1): kind")
    assert "[where: bundle 12ab]" in text
    assert f"[expected: {NOW.fingerprint[:12]}]" in text
    assert f"[found: {theirs.fingerprint[:12]}]" in text
    assert "[do: retrain with this version" in text
    assert isinstance(caught.value, Cis490Error)


def test_a_schema_can_be_required_of_another_one_than_todays() -> None:
    other = replace(NOW, extraction_version=99)
    require_schema(other, where="x", ours=other)
    with pytest.raises(SchemaMismatchError, match="extraction_version is 1 in the artifact, 99"):
        require_schema(NOW, where="x", ours=other)


def test_the_fingerprint_is_the_same_in_every_process() -> None:
    code = (
        "from cis490_pipeline.schema.fingerprint import current_schema;"
        "print(current_schema().fingerprint)"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {NOW.fingerprint}


def as_json(schema: FeatureSchema) -> Any:
    return json.loads(json.dumps(asdict(schema)))


@pytest.mark.parametrize("what", CHANGES)
def test_a_schema_comes_back_from_json_as_it_was(what: str) -> None:
    schema, _ = CHANGES[what]
    back = schema_from_json(as_json(schema), where="x")
    assert back == schema
    assert back.fingerprint == schema.fingerprint


def without(key: str) -> Any:
    return {name: value for name, value in as_json(NOW).items() if name != key}


GARBAGE: dict[str, Any] = {
    "null": None,
    "a list": [],
    "nothing": {},
    "no channels": without("channels"),
    "no phases": without("phases"),
    "channels are a text": {**as_json(NOW), "channels": "abc"},
    "a channel is a number": {**as_json(NOW), "channels": [1]},
    "a channel has no kind": {
        **as_json(NOW),
        "channels": [{"source": "proc", "name": "x", "realistic": True}],
    },
    "a tick is a text": {**as_json(NOW), "tick_ns": "100"},
    "a tick is true": {**as_json(NOW), "tick_ns": True},
    "a tick is half": {**as_json(NOW), "tick_ns": 0.5},
    "a phase is null": {**as_json(NOW), "phases": [None]},
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_is_refused_with_the_fields_that_are_wanted(what: str) -> None:
    with pytest.raises(SchemaMismatchError, match="not a feature schema") as caught:
        schema_from_json(GARBAGE[what], where="bundle 12ab")
    assert "bundle 12ab" in str(caught.value)
    assert "extraction_version, phases, tick_ns" in caught.value.expected
    assert caught.value.found


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    field=st.sampled_from([*FeatureSchema.__slots__, *ChannelSchema.__slots__]),
    value=_JSON,
)
def test_no_json_does_anything_but_be_read_or_refused(field: str, value: Any) -> None:
    raw = as_json(NOW)
    raw[field] = value
    raw["channels"] = raw["channels"] if field == "channels" else [{**raw["channels"][0]}]
    if field in ChannelSchema.__slots__:
        raw["channels"][0][field] = value
    try:
        schema = schema_from_json(raw, where="x")
    except SchemaMismatchError:
        return
    assert schema_from_json(as_json(schema), where="x") == schema
    assert first_difference(schema, NOW) is not None

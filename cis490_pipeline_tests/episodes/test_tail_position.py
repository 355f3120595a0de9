"""The position of a follower: its text form is a promise, and any other text is refused."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.episodes.tail_position import FILE_START, Edges, Place, TailPosition
from cis490_pipeline.errors import ConfigurationError


def position(data: bytes = b"row\n", **place: object) -> TailPosition:
    at = {"offset": len(data), "line": 2, "passed_bytes": 0, "passed_zeros": False, **place}
    edges = Edges().extended(memoryview(data))
    return TailPosition(
        identity=edges.identity(device=1, inode=2**64 - 1), generation=3, place=Place(**at)
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=1500), max_size=5))
def test_ends_grow_with_what_is_read(parts):
    edges = Edges()
    for part in parts:
        edges = edges.extended(memoryview(part))
    whole = b"".join(parts)
    assert edges == Edges(head=whole[:1024], last=whole[-1024:])


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 5000])
def test_position_comes_back_from_its_text(size):
    one = position(b"x" * size)
    assert TailPosition.from_json(one.to_json()) == one


def test_text_of_version_1_stays_readable():
    text = (
        '{"version":1,"position":{"identity":{"device":5,"inode":7,"prefix_bytes":0,'
        '"prefix_sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",'
        '"anchor_sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},'
        '"generation":2,"place":{"offset":0,"line":1,"passed_bytes":0,"passed_zeros":false}}}'
    )
    identity = Edges().identity(device=5, inode=7)
    expected = TailPosition(identity=identity, generation=2, place=FILE_START)
    assert TailPosition.from_json(text) == expected
    assert expected.to_json() == text


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{", '{"version":1}', '{"version":2,"position":{}}', '"\udc00"', "\ud800"],
)
def test_foreign_text_is_refused_with_what_to_do(text):
    with pytest.raises(ConfigurationError, match="clear the cursor"):
        TailPosition.from_json(text)


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("identity", "prefix_bytes", 2000),
        ("identity", "prefix_bytes", 3),
        ("identity", "prefix_sha256", "E3"),
        ("place", "offset", -1),
        ("place", "offset", 1.5),
        ("place", "line", 0),
        ("place", "line", True),
        ("place", "passed_bytes", 10**30),
    ],
)
def test_value_that_no_position_has_is_refused(part, key, value):
    wire = json.loads(position().to_json())
    wire["position"][part][key] = value
    with pytest.raises(ConfigurationError):
        TailPosition.from_json(json.dumps(wire))

"""Only ids of the right form become a part of a path."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.schema.ids import episode_id_or_none, host_id_or_none

ULID = "01KAB3XYZ0123456789ABCDEFG"

HOSTILE = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "/etc/passwd",
    "a\\b",
    "a\x00b",
    "lab-a\n",
    "lab a",
    " lab-a",
    "a..b",
    "-rf",
    ".hidden",
    "_x",
    "lab:a",
    "läb",
    "lab\u0661",  # an Arabic digit: int() would take it
    "lab\u202ea",
    "a" * 64,
    "%2e%2e",
    "host=lab-a",
    "<b>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_is_neither_host_nor_episode(text: str) -> None:
    assert host_id_or_none(text) is None
    assert episode_id_or_none(text) is None


@pytest.mark.parametrize("text", ["a", "lab-a", "LAB_1.example", "0", "a" * 63, "a.b-c_d"])
def test_a_plain_host_name_is_kept_as_it_is(text: str) -> None:
    assert host_id_or_none(text) == text


@pytest.mark.parametrize(
    "text",
    [
        ULID[:-1],
        ULID + "0",
        ULID.lower(),
        ULID[:-1] + "I",
        ULID[:-1] + "L",
        ULID[:-1] + "O",
        ULID[:-1] + "U",
        ULID + "\n",
        ULID[:-1] + "/",
        ULID[:-1] + "\u0661",
    ],
)
def test_a_near_miss_of_a_ulid_is_refused(text: str) -> None:
    assert episode_id_or_none(ULID) == ULID
    assert episode_id_or_none(text) is None


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=70) | st.from_regex(r"[A-Za-z0-9._/-]{1,64}"))
def test_what_is_accepted_is_one_plain_part_of_a_path(text: str) -> None:
    for accepted in (host_id_or_none(text), episode_id_or_none(text)):
        if accepted is None:
            continue
        assert accepted == text
        assert text.isascii()
        assert text.isprintable()
        assert PurePosixPath("root", text).parts == ("root", text)
        assert text not in {".", ".."}
        assert len(text) <= 63

"""Set files come back as they were written; anything else is refused with what to do."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.datasets.members import Member, hash_of_roles
from cis490_pipeline.datasets.test_sets import (
    TestSet,
    load_test_set,
    path_of_test_set,
    save_test_set,
)
from cis490_pipeline.datasets.training_sets import (
    TrainingSet,
    load_training_set,
    save_training_set,
    training_set_path,
)
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.schema.fingerprint import current_schema
from cis490_pipeline.schema.ids import EpisodeId
from cis490_pipeline.warehouse.layout import Layout
from cis490_pipeline_tests.episodes.building import episode_id

HERE = current_schema().fingerprint


def members(*numbers: int) -> tuple[Member, ...]:
    return tuple(Member(episode_id=EpisodeId(episode_id(n)), sha256=f"{n:064x}") for n in numbers)


TRAINING = TrainingSet(
    split="host=lab-b",
    statuses=("accepted",),
    fingerprint=HERE,
    content_hash="a" * 64,
    training_ids_hash="b" * 64,
    hosts=("lab-a",),
    profiles=("io-walk", "läuft <b>", ""),
    train=members(1, 2),
    id_val=members(3),
)
TEST = TestSet(
    split="host=lab-b",
    claim="„unseen“ host",
    fingerprint=HERE,
    content_hash="c" * 64,
    hosts=("lab-b",),
    train_hosts=("lab-a",),
    trained_profiles=("io-walk",),
    untested_profiles=(),
    unseen_profiles=("x\n|",),
    warnings=("thin",),
    test=members(4),
)


def save_both(layout: Layout) -> None:
    save_training_set(layout, TRAINING)
    save_test_set(layout, TEST)


Load = Callable[[Layout, str], object]
KINDS: list[tuple[str, Load, Callable[[Layout, str], Path]]] = [
    ("training_set", load_training_set, training_set_path),
    ("test_set", load_test_set, path_of_test_set),
]
each_kind = pytest.mark.parametrize(("asset", "load", "path_of"), KINDS, ids=[k[0] for k in KINDS])


def test_a_set_comes_back_as_it_was(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    save_both(layout)
    assert load_training_set(layout, "host=lab-b") == TRAINING
    assert load_test_set(layout, "host=lab-b") == TEST
    raw = json.loads(training_set_path(layout, "host=lab-b").read_text("utf-8"))
    assert raw["train"][0] == {"episode_id": episode_id(1), "sha256": f"{1:064x}"}


def test_saving_replaces_the_earlier_set_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    save_both(layout)
    changed = replace(TRAINING, train=())
    save_training_set(layout, changed)
    assert load_training_set(layout, "host=lab-b") == changed
    names = sorted(path.name for path in layout.split("host=lab-b").iterdir())
    assert names == ["test_set.json", "training_set.json"]


def test_sets_of_two_splits_stand_apart(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for split in ("hosts:a", "hosts_a", "sample", "time=50"):
        save_training_set(layout, replace(TRAINING, split=split))
    for split in ("hosts:a", "hosts_a", "sample", "time=50"):
        assert load_training_set(layout, split).split == split


@each_kind
def test_an_absent_set_says_what_to_run(
    tmp_path: Path, asset: str, load: Load, path_of: Callable[[Layout, str], Path]
) -> None:
    layout = Layout(tmp_path)
    with pytest.raises(WarehouseError, match="no set file yet") as caught:
        load(layout, "sample")
    assert caught.value.where == str(path_of(layout, "sample"))
    assert f"materialize {asset}[sample]" in caught.value.todo
    assert "cis490 train" in caught.value.todo


def damaged(raw: dict[str, Any]) -> list[bytes]:
    text = json.dumps(raw).encode()
    return [
        b"",
        b"null",
        b"[]",
        text[:-10],
        text + b"{}",
        text.replace(b'"split"', b'"slip"'),
        json.dumps({**raw, "hosts": "lab-a"}).encode(),
        json.dumps({**raw, "fingerprint": None}).encode(),
        text.replace(b"lab-b", b"lab-\xff"),
    ]


@each_kind
@pytest.mark.parametrize("number", range(9))
def test_a_damaged_set_is_refused(
    tmp_path: Path,
    asset: str,
    load: Load,
    path_of: Callable[[Layout, str], Path],
    number: int,
) -> None:
    layout = Layout(tmp_path)
    save_both(layout)
    path = path_of(layout, "host=lab-b")
    path.write_bytes(damaged(json.loads(path.read_bytes()))[number])
    with pytest.raises(WarehouseError, match="damaged or of another version") as caught:
        load(layout, "host=lab-b")
    assert caught.value.found
    assert asset in caught.value.todo


@each_kind
def test_a_set_of_another_feature_schema_is_refused(
    tmp_path: Path, asset: str, load: Load, path_of: Callable[[Layout, str], Path]
) -> None:
    layout = Layout(tmp_path)
    save_training_set(layout, replace(TRAINING, fingerprint="f" * 64))
    save_test_set(layout, replace(TEST, fingerprint="f" * 64))
    with pytest.raises(WarehouseError, match="another feature schema") as caught:
        load(layout, "host=lab-b")
    assert (caught.value.expected, caught.value.found) == (HERE[:12], "f" * 12)
    assert asset in caught.value.todo
    assert str(path_of(layout, "host=lab-b")) in str(caught.value)


def test_the_hash_tells_roles_contents_and_schemas_apart() -> None:
    found = [
        hash_of_roles(HERE, train=members(1, 2)),
        hash_of_roles(HERE, train=members(1), id_val=members(2)),
        hash_of_roles(HERE, train=members(2), id_val=members(1)),
        hash_of_roles(HERE, test=members(1, 2)),
        hash_of_roles("0" * 64, train=members(1, 2)),
        hash_of_roles(HERE, train=(replace(members(1)[0], sha256="0" * 64), *members(2))),
        hash_of_roles(HERE, train=()),
        hash_of_roles(HERE),
    ]
    assert len(set(found)) == len(found)
    assert hash_of_roles(HERE, train=members(1, 2)) == found[0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 31), unique=True), st.lists(st.integers(0, 31), unique=True))
def test_two_hashes_are_equal_exactly_for_equal_members(one: list[int], other: list[int]) -> None:
    first, second = (hash_of_roles(HERE, train=members(*sorted(x))) for x in (one, other))
    assert (first == second) == (set(one) == set(other))

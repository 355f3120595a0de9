from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.splits.leakage import LeakKind, check_training_ids, find_leaks, find_moved


@dataclass(frozen=True)
class M:
    episode_id: str
    sha256: str


A, B, C = M("A", "1"), M("B", "2"), M("C", "3")


def test_disjoint_roles_are_clean():
    assert find_leaks([A], [B], [C]) == ()
    assert find_leaks([], [], []) == ()


@pytest.mark.parametrize("roles", [([A], [A], []), ([A], [], [A]), ([], [A], [A])])
def test_episode_in_two_roles_is_a_leak(roles):
    leaks = find_leaks(*roles)
    assert [leak.kind for leak in leaks] == [LeakKind.EPISODE_IN_TWO_ROLES]
    assert "A" in leaks[0].detail


@pytest.mark.parametrize("roles", [([A], [M("Z", "1")], []), ([A], [], [M("Z", "1")])])
def test_one_tarball_under_two_ids_in_two_roles_is_a_leak(roles):
    leaks = find_leaks(*roles)
    assert [leak.kind for leak in leaks] == [LeakKind.TARBALL_IN_TWO_ROLES]
    assert "A" in leaks[0].detail
    assert "Z" in leaks[0].detail


def test_reshipped_episode_in_two_roles_is_a_leak_whatever_its_content():
    leaks = find_leaks([A], [], [M("A", "9")])
    assert [leak.kind for leak in leaks] == [LeakKind.EPISODE_IN_TWO_ROLES]


def test_repetition_within_a_role_is_told_apart():
    assert [leak.kind for leak in find_leaks([A, A], [], [])] == [LeakKind.DUPLICATE_EPISODE]
    assert [leak.kind for leak in find_leaks([A, M("Z", "1")], [], [])] == [
        LeakKind.DUPLICATE_TARBALL
    ]


def test_shared_episode_does_not_hide_a_copy_of_it():
    kinds = {leak.kind for leak in find_leaks([A], [], [A, M("Z", "1")])}
    assert kinds == {
        LeakKind.EPISODE_IN_TWO_ROLES,
        LeakKind.TARBALL_IN_TWO_ROLES,
        LeakKind.DUPLICATE_TARBALL,
    }


MEMBERS = st.lists(
    st.builds(M, st.text("ABCDEFGH", min_size=1, max_size=1), st.text("12345678", min_size=1)),
    max_size=6,
)


@given(MEMBERS, MEMBERS, MEMBERS)
@settings(max_examples=300, deadline=None)
def test_no_leak_means_all_ids_and_tarballs_are_distinct(train, id_val, test):
    everybody = [*train, *id_val, *test]
    distinct = (
        len({m.episode_id for m in everybody})
        == len(everybody)
        == len({m.sha256 for m in everybody})
    )
    assert (find_leaks(train, id_val, test) == ()) == distinct


def test_bundle_of_another_training_set_is_a_leak():
    assert check_training_ids("ab", "ab") is None
    leak = check_training_ids("ab", "cd")
    assert leak is not None
    assert leak.kind is LeakKind.FOREIGN_TRAINING_IDS
    assert check_training_ids("", "cd") is not None


def test_a_member_that_changed_host_is_a_leak_and_one_that_left_the_tables_is_none():
    assert find_moved("test", [A, B], ["lab-b"], {"A": "lab-b"}) == ()
    (leak,) = find_moved("test", [A, B], ["lab-b"], {"A": "lab-b", "B": "lab-a"})
    assert leak.kind is LeakKind.CHANGED_HOST
    assert leak.detail == "B is in test (lab-b) and now belongs to host lab-a"

"""``splits.toml``: read where it is right, refused with the form where it is not."""

from pathlib import Path

import pytest

from cis490_pipeline.datasets.host_lists import load_host_lists, load_time_percents
from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.splits.recipes import HostLists


def written(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "splits.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_no_file_is_no_list(tmp_path: Path) -> None:
    assert load_host_lists(tmp_path / "splits.toml") == ()


@pytest.mark.parametrize("content", ["", "# nothing yet\n", "[hosts]\n"])
def test_an_empty_file_is_no_list(tmp_path: Path, content: str) -> None:
    assert load_host_lists(written(tmp_path, content)) == ()


def test_cuts_of_time_stand_beside_the_lists(tmp_path: Path) -> None:
    assert load_time_percents(tmp_path / "splits.toml") == ()
    path = written(
        tmp_path,
        "[time]\npercents = [80, 50, 80]\n[hosts.x]\ntrain = ['lab-a']\ntest = ['lab-b']\n",
    )
    assert load_time_percents(path) == (50, 80)
    assert [one.name for one in load_host_lists(path)] == ["x"]


def test_lists_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        [hosts.to-field]
        train = ["lab-a", "lab-b"]
        test = ["field-1"]
        [hosts.back]
        train = ["field-1"]
        test = ["lab-a"]
        """,
    )
    assert load_host_lists(path) == (
        HostLists(name="back", train=("field-1",), test=("lab-a",)),
        HostLists(name="to-field", train=("lab-a", "lab-b"), test=("field-1",)),
    )


@pytest.mark.parametrize(
    "content",
    [
        "hosts = [",
        "hosts = 3",
        "[hosts.x]\ntrain = ['lab-a']",
        "[hosts.x]\ntrain = 'lab-a'\ntest = ['lab-b']",
        "[hosts.x]\ntrain = [1]\ntest = ['lab-b']",
        "[hosts.x]\ntrain = ['lab-a']\ntest = ['lab-b']\ntset = ['lab-c']",
        "[host.x]\ntrain = ['lab-a']\ntest = ['lab-b']",
        "[hosts.x]\ntrain = ['a']\ntest = ['b']\n[hosts.x]\ntrain = ['c']\ntest = ['d']",
        b"[hosts.x]\ntrain = ['lab-\xff']\ntest = ['lab-b']",
        "[time]\npercents = [0]",
        "[time]\npercents = [100]",
        "[time]\npercents = 50",
        "[time]\nshares = [50]",
    ],
)
def test_a_file_of_another_form_is_refused_with_the_right_one(
    tmp_path: Path, content: str | bytes
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ConfigurationError, match="declared splits") as caught:
        load_host_lists(path)
    assert caught.value.where == str(path)
    assert "[hosts.<name>]" in caught.value.expected
    assert caught.value.found


@pytest.mark.parametrize(
    ("name", "train", "test", "found"),
    [
        ("x", "['lab-a']", "['lab-a', 'lab-b']", "lab-a in both"),
        ("x", "[]", "['lab-b']", "an empty list"),
        ("x", "['lab-a']", "[]", "an empty list"),
        ("x", "['../etc']", "['lab-b']", "../etc"),
        ("'a,b'", "['lab-a']", "['lab-b']", "a,b"),
        ("'../x'", "['lab-a']", "['lab-b']", "../x"),
    ],
)
def test_lists_that_cannot_be_a_split_are_refused(
    tmp_path: Path, name: str, train: str, test: str, found: str
) -> None:
    path = written(tmp_path, f"[hosts.{name}]\ntrain = {train}\ntest = {test}\n")
    with pytest.raises(ConfigurationError, match="cannot be a split") as caught:
        load_host_lists(path)
    assert found in caught.value.found

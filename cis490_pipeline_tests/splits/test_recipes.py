import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.schema.ids import host_id_or_none
from cis490_pipeline.splits.recipes import (
    KNOWN_FORMS,
    Deploy,
    HoldOutSamples,
    HostLists,
    LaterInTime,
    LeaveHostOut,
    NamedHosts,
    parse_split,
    split_keys,
)

AB = HostLists(name="ab", train=("lab-a",), test=("lab-b",))


@pytest.mark.parametrize(
    ("key", "recipe"),
    [
        ("host=lab-b", LeaveHostOut(host="lab-b")),
        ("host=time", LeaveHostOut(host="time")),
        ("sample", HoldOutSamples()),
        ("time", LaterInTime(train_percent=None)),
        ("time=5", LaterInTime(train_percent=5)),
        ("hosts:old-to-new", NamedHosts(name="old-to-new")),
        ("deploy", Deploy()),
    ],
)
def test_known_key_is_its_recipe(key, recipe):
    assert parse_split(key) == recipe


@pytest.mark.parametrize(
    "key",
    [
        "",
        "host",
        "host=",
        "host=a,b",
        "host=../etc",
        "host=a..b",
        "host=a/b",
        "host=lab-b\n",
        "host=-a",
        "host=é",
        "host=" + "a" * 64,
        "hosts:",
        "hosts:a,b",
        "hosts:a/b",
        "Sample",
        " time",
        "time=0",
        "time=100",
        "time=1_0",
        "time=٣",
        "deploy ",
    ],
)
def test_any_other_key_is_refused_with_the_known_forms(key: str):
    with pytest.raises(ConfigurationError) as caught:
        parse_split(key)
    assert all(form in str(caught.value) for form in KNOWN_FORMS)


@given(st.text(max_size=80))
@example("host=a,b")
@settings(max_examples=300, deadline=None)
def test_parsable_key_never_holds_a_comma_or_a_path_separator(key: str):
    for text in (key, "host=" + key, "hosts:" + key, "time=" + key):
        try:
            parse_split(text)
        except ConfigurationError:
            continue
        assert not set(text) & set(",/\\\n\0 ")


def test_host_keys_exist_only_once_two_hosts_do():
    assert split_keys(["lab-a", "lab-a"]) == ("sample", "time", "deploy")
    assert split_keys(["lab-b", "lab-a"])[:2] == ("host=lab-a", "host=lab-b")


def test_empty_store_has_no_split():
    assert split_keys([], [AB]) == ()


def test_keys_do_not_depend_on_the_order_of_hosts_or_lists():
    other = HostLists(name="ba", train=("lab-b",), test=("lab-a",))
    keys = split_keys(["lab-b", "lab-a"], [other, AB], time_percents=(50, 30))
    assert keys == split_keys(["lab-a", "lab-b"], [AB, other], time_percents=(30, 50))
    assert keys[2:] == ("sample", "time", "time=30", "time=50", "hosts:ab", "hosts:ba", "deploy")


@given(st.lists(st.sampled_from(["lab-a", "lab-b", "c"]) | st.text(max_size=70), max_size=4))
@settings(max_examples=200, deadline=None)
def test_every_key_of_a_store_can_be_parsed_or_the_host_is_refused(hosts: list[str]):
    if all(host_id_or_none(host) for host in hosts):
        left_out = {parse_split(key) for key in split_keys(hosts, [AB])}
        assert all(LeaveHostOut(host=h) in left_out for h in hosts) or len(set(hosts)) < 2
    else:
        with pytest.raises(ConfigurationError):
            split_keys(hosts, [AB])


@pytest.mark.parametrize("host", ["a,b", "../x", "", "a b"])
def test_hostile_host_never_becomes_a_key(host: str):
    with pytest.raises(ConfigurationError):
        split_keys(["lab-a", host])
    with pytest.raises(ConfigurationError):
        split_keys([host])


def test_two_lists_of_one_name_are_refused():
    with pytest.raises(ConfigurationError, match="one name"):
        split_keys(["lab-a"], [AB, AB])


@pytest.mark.parametrize(
    ("name", "train", "test"),
    [
        ("a,b", ("lab-a",), ("lab-b",)),
        ("ab", (), ("lab-b",)),
        ("ab", ("lab-a",), ()),
        ("ab", ("lab-a", "lab-b"), ("lab-b",)),
        ("ab", ("../x",), ("lab-b",)),
    ],
)
def test_lists_that_cannot_be_a_split_are_refused(name, train, test):
    with pytest.raises(ConfigurationError):
        HostLists(name=name, train=train, test=test)

"""The names of splits: what a partition key says, as a value.

Not here: who plays which role on given data (``planning``).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.schema.ids import HostId, host_id_or_none

SAMPLE_KEY: Final = "sample"
TIME_KEY: Final = "time"
DEPLOY_KEY: Final = "deploy"
_HOST_PREFIX: Final = "host="
_TIME_PREFIX: Final = "time="
_LISTS_PREFIX: Final = "hosts:"

KNOWN_FORMS: Final = ("host=<host>", "sample", "time", "time=<percent>", "hosts:<name>", "deploy")

# Neither a comma (Dagster cannot backfill such a partition in its UI) nor a path separator.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_PERCENT: Final = re.compile(r"[1-9][0-9]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveHostOut:
    """``host=<h>``: every episode of one host tests, every other host trains."""

    host: HostId


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOutSamples:
    """``sample``: whole sample names test; hosts are mixed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterInTime:
    """``time`` and ``time=<percent>``: what was received later tests; the hosts are the same.

    ``train_percent`` is the share of the episodes before the cut, None for the configured one.
    """

    train_percent: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedHosts:
    """``hosts:<name>``: two lists of hosts that the configuration declares."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """``deploy``: every host trains, nothing tests: the model that one ships."""


SplitRecipe: TypeAlias = LeaveHostOut | HoldOutSamples | LaterInTime | NamedHosts | Deploy


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLists:
    """Training and test hosts of ``hosts:<name>``; hosts in neither list take no part."""

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse lists that cannot be a split.

        Raises
        ------
        ConfigurationError
            For a name or host of a wrong form, an empty list, or a host in both lists.
        """
        if not _NAME.fullmatch(self.name):
            _refuse_lists(self.name, "a name of letters, digits, '.', '_', '-'", self.name)
        for host in (*self.train, *self.test):
            if host_id_or_none(host) is None:
                _refuse_lists(self.name, "host names", host)
        if not self.train or not self.test:
            _refuse_lists(self.name, "at least one host in each list", "an empty list")
        both = set(self.train) & set(self.test)
        if both:
            _refuse_lists(self.name, "disjoint lists", ", ".join(sorted(both)) + " in both")


def _refuse_lists(name: str, expected: str, found: str) -> None:
    raise ConfigurationError(
        "host lists cannot be a split",
        where=f"hosts:{name!r}",
        expected=expected,
        found=repr(found),
        todo="correct the declared host lists",
    )


def parse_split(key: str) -> SplitRecipe:
    """Return the recipe that a split key names.

    Raises
    ------
    ConfigurationError
        Where it names none; lists the known forms.

    Examples
    --------
    >>> parse_split("host=lab-b")
    LeaveHostOut(host='lab-b')
    >>> parse_split("time=50")
    LaterInTime(train_percent=50)
    """
    fixed: dict[str, SplitRecipe] = {
        SAMPLE_KEY: HoldOutSamples(),
        TIME_KEY: LaterInTime(train_percent=None),
        DEPLOY_KEY: Deploy(),
    }
    recipe = fixed.get(key) or _parse_parameter(key)
    if recipe is None:
        raise ConfigurationError(
            "not a split",
            where=repr(key),
            expected=" | ".join(KNOWN_FORMS),
            todo="use one of the known forms; host names have letters, digits, '.', '_', '-'",
        )
    return recipe


def _parse_parameter(key: str) -> SplitRecipe | None:
    if key.startswith(_HOST_PREFIX):
        host = host_id_or_none(key.removeprefix(_HOST_PREFIX))
        return None if host is None else LeaveHostOut(host=host)
    if key.startswith(_LISTS_PREFIX):
        name = key.removeprefix(_LISTS_PREFIX)
        return NamedHosts(name=name) if _NAME.fullmatch(name) else None
    if key.startswith(_TIME_PREFIX):
        percent = key.removeprefix(_TIME_PREFIX)
        return LaterInTime(train_percent=int(percent)) if _PERCENT.fullmatch(percent) else None
    return None


def split_keys(
    hosts: Iterable[str],
    host_lists: Sequence[HostLists] = (),
    *,
    time_percents: Sequence[int] = (),
) -> tuple[str, ...]:
    """Return the split keys that exist for a store, in a fixed order.

    Parameters
    ----------
    hosts
        Hosts that hold episodes, in any order; none means no split at all.
    host_lists
        Declared lists; each is a key even where a host is unknown, so that a misspelt host ends in
        a refusal that names it and not in a split that silently is not there.
    time_percents
        Further cut points of ``time``.

    Raises
    ------
    ConfigurationError
        For a host name or a percentage that cannot stand in a key, or two lists of one name.

    Examples
    --------
    >>> split_keys(["lab-b", "lab-a"])
    ('host=lab-a', 'host=lab-b', 'sample', 'time', 'deploy')
    >>> split_keys(["lab-a"])
    ('sample', 'time', 'deploy')
    """
    known = sorted(set(hosts))
    if not known:
        return ()
    left_out = [f"{_HOST_PREFIX}{host}" for host in known]
    cuts = [f"{_TIME_PREFIX}{percent}" for percent in sorted(set(time_percents))]
    named = [f"{_LISTS_PREFIX}{name}" for name in sorted(lists_by_name(host_lists))]
    for key in (*left_out, *cuts):
        parse_split(key)
    shown = left_out if len(known) > 1 else []
    return (*shown, SAMPLE_KEY, TIME_KEY, *cuts, *named, DEPLOY_KEY)


def lists_by_name(host_lists: Sequence[HostLists]) -> dict[str, HostLists]:
    """Return the declared lists by name.

    Raises
    ------
    ConfigurationError
        Where a name is declared twice.
    """
    by_name = {lists.name: lists for lists in host_lists}
    if len(by_name) != len(host_lists):
        raise ConfigurationError(
            "two host lists have one name",
            where="host lists",
            found=", ".join(sorted(lists.name for lists in host_lists)),
            todo="give each list a name of its own",
        )
    return by_name

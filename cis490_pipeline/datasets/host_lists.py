"""``splits.toml`` of the data directory: declared splits ``hosts:<name>`` and ``time=<percent>``.

::

    [time]
    percents = [50, 60, 80]

    [hosts.lab-to-field]
    train = ["lab-a", "lab-b"]
    test = ["field-1"]

Not here: what such splits mean (``splits.recipes``).
"""

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.splits.recipes import HostLists


class _Lists(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    train: tuple[str, ...]
    test: tuple[str, ...]


class _Time(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    percents: tuple[Annotated[int, msgspec.Meta(ge=1, le=99)], ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    hosts: dict[str, _Lists] = {}
    time: _Time = _Time()


def load_host_lists(path: Path) -> tuple[HostLists, ...]:
    """Return the declared lists in the order of their names; empty where there is no file.

    Raises
    ------
    ConfigurationError
        Where the file is not TOML of the form above.
    """
    return tuple(
        HostLists(name=name, train=lists.train, test=lists.test)
        for name, lists in sorted(_read(path).hosts.items())
    )


def load_time_percents(path: Path) -> tuple[int, ...]:
    """Return the declared cuts of ``time``: shares of the episodes before the cut, in percent.

    Sorted, each once; empty where there is no file.

    Raises
    ------
    ConfigurationError
        Where the file is not TOML of the form above.
    """
    return tuple(sorted(set(_read(path).time.percents)))


def _read(path: Path) -> _File:
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), _File)
    except FileNotFoundError:
        return _File()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            "cannot use the declared splits",
            where=str(path),
            expected='tables [hosts.<name>] with train = ["…"] and test = ["…"], and [time] '
            "with percents = [1 to 99]",
            found=str(error),
            todo="correct the file",
        ) from error

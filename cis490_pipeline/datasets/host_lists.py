"""``splits.toml`` of the data directory: declared splits of the form ``hosts:<name>``.

::

    [hosts.lab-to-field]
    train = ["lab-a", "lab-b"]
    test = ["field-1"]

Not here: what such a split means (``splits.recipes``).
"""

import tomllib
from pathlib import Path

import msgspec

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.splits.recipes import HostLists


class _Lists(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    train: tuple[str, ...]
    test: tuple[str, ...]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    hosts: dict[str, _Lists] = {}


def load_host_lists(path: Path) -> tuple[HostLists, ...]:
    """Return the declared lists in the order of their names; empty where there is no file.

    Raises
    ------
    ConfigurationError
        Where the file is not TOML of the form above.
    """
    try:
        content = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _File)
    except FileNotFoundError:
        return ()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            "cannot use the declared host lists",
            where=str(path),
            expected='tables [hosts.<name>] with train = ["…"] and test = ["…"]',
            found=str(error),
            todo="correct the file",
        ) from error
    return tuple(
        HostLists(name=name, train=lists.train, test=lists.test)
        for name, lists in sorted(content.hosts.items())
    )

"""The thresholds of the quality checks, and ``quality.toml`` of the data directory.

::

    recent_episodes = 100
    may_be_constant = ["proc_majflt"]

Not here: the rules (``downgrade``, ``clocks``, ``channels``, ``versions``).
"""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import msgspec

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.schema.channels import CHANNELS

_COLUMNS: Final = frozenset(channel.column for channel in CHANNELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityConfig:
    """When a host's data is worth a warning.

    Attributes
    ----------
    recent_episodes
        How many of a host's newest episodes are looked at, by time of reception.
    min_episodes
        Below so many episodes nothing is said of clocks and channels, nor of a change against a
        past so short.
    min_recent
        Below so many newest episodes nothing is said of a change.
    downgrade_p
        One-sided p of Fisher's exact test below which a share has grown.
    downgrade_effect
        How much it must have grown, 0 … 1: with many episodes any trifle is significant.
    max_skew_s
        Seconds by which a source may begin after the first label or end before the others.
    max_skewed_share
        Share of the newest episodes that may exceed it, 0 … 1.
    absent_share
        Share of the newest episodes without a value from which on a channel is absent, 0 … 1.
    may_be_constant
        Channels (``<source>_<name>``) that do not warn when they never move: by default major page
        faults of a QEMU process that is never swapped out, and a balloon that nobody moves.
    """

    recent_episodes: int = 50
    min_episodes: int = 20
    min_recent: int = 10
    downgrade_p: float = 1e-4
    downgrade_effect: float = 0.15
    max_skew_s: float = 2.0
    max_skewed_share: float = 0.1
    absent_share: float = 0.95
    may_be_constant: tuple[str, ...] = ("proc_majflt", "qmp_balloon_actual_bytes")

    def __post_init__(self) -> None:
        """Refuse what no check could work with.

        Raises
        ------
        ConfigurationError
            For a number out of its range or an unknown channel.
        """
        for name in ("recent_episodes", "min_episodes", "min_recent"):
            if getattr(self, name) < 1:
                raise _refused(name, "at least 1", str(getattr(self, name)))
        for name in ("downgrade_p", "downgrade_effect", "max_skewed_share", "absent_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise _refused(name, "0 to 1", str(getattr(self, name)))
        if not 0.0 <= self.max_skew_s < float("inf"):
            raise _refused("max_skew_s", "seconds, at least 0", str(self.max_skew_s))
        unknown = sorted(set(self.may_be_constant) - _COLUMNS)
        if unknown:
            expected = "channels as <source>_<name>, e.g. proc_majflt"
            raise _refused("may_be_constant", expected, ", ".join(unknown))


_NAMES: Final = tuple(field.name for field in fields(QualityConfig))


def _refused(name: str, expected: str, found: str) -> ConfigurationError:
    return ConfigurationError(
        "a threshold of the quality checks is out of range",
        where=name,
        expected=expected,
        found=found,
        todo="correct quality.toml in the data directory",
    )


def load_quality_config(path: Path) -> QualityConfig:
    """Return the thresholds of a file; the defaults where there is none.

    Raises
    ------
    ConfigurationError
        Where the file is not TOML, names an unknown threshold, or gives one of a wrong type or out
        of its range.
    """
    try:
        return _converted(tomllib.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return QualityConfig()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            "cannot use the thresholds of the quality checks",
            where=str(path),
            expected=f"TOML with some of {', '.join(_NAMES)}",
            found=str(error),
            todo="correct the file",
        ) from error


def _converted(content: dict[str, object]) -> QualityConfig:
    unknown = sorted(set(content) - set(_NAMES))
    if unknown:
        raise msgspec.ValidationError(f"unknown: {', '.join(unknown)}")
    return msgspec.convert(content, QualityConfig)

"""What a synthetic store is asked to be.

Not here: what follows from it (``plan``), where and how fast it is written (``store``).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.schema.ids import host_id_or_none

_MAX_SEED = (1 << 63) - 1
_MAX_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthConfig:
    """The content of a store; equal configurations give equal bytes.

    Attributes
    ----------
    hosts
        Episodes per host; the order decides the hosts' styles (see ``hosts``).
    seconds
        Length of every episode, at least 1.
    seed
        Non-negative.
    damage
        Share of the episodes that are damaged (0 … 1). For every five of them, and at least once,
        the index gets a damage too; 0 means an intact store.
    controls
        Share of each host's episodes that are controls (profile ``benign``).

    Raises
    ------
    ConfigurationError
        Where a value is out of its range.
    """

    hosts: Mapping[str, int]
    seconds: float = 255.0
    seed: int = 0
    damage: float = 0.0
    controls: float = 0.08

    def __post_init__(self) -> None:
        if not self.hosts or sum(self.hosts.values()) == 0:
            raise _refused("hosts", "at least one host with one episode", str(dict(self.hosts)))
        for host, count in self.hosts.items():
            if host_id_or_none(host) is None or count < 0:
                raise _refused(
                    "hosts", "host names safe in a path, counts from 0", f"{host}={count}"
                )
        if not 1.0 <= self.seconds <= _MAX_SECONDS:
            raise _refused("seconds", f"1 to {_MAX_SECONDS:.0f}", str(self.seconds))
        if not 0 <= self.seed <= _MAX_SEED:
            raise _refused("seed", "0 to 2**63 - 1", str(self.seed))
        for name, share in (("damage", self.damage), ("controls", self.controls)):
            if not 0.0 <= share <= 1.0:
                raise _refused(name, "a share from 0 to 1", str(share))

    @property
    def n_episodes(self) -> int:
        """Episodes of all hosts."""
        return sum(self.hosts.values())

    @property
    def max_bytes(self) -> int:
        """Decompressed bytes that no intact episode reaches, and every planted bomb exceeds.

        The reader's own limit is far above both: to see the bombs refused, lower it to this.
        """
        return (1 << 20) + 12_000 * math.ceil(self.seconds)


def _refused(name: str, expected: str, found: str) -> ConfigurationError:
    return ConfigurationError(
        "no such synthetic store can be made",
        where=name,
        expected=expected,
        found=found,
        todo="change that option",
    )

"""Where things are: what a hub watches, and the directory that is its own.

Not here: what is in a store (``episodes``) or a warehouse (``warehouse``).
"""

from dataclasses import dataclass
from pathlib import Path

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.receiver.durable import make_directory
from cis490_pipeline.receiver.tokens import Tokens
from cis490_pipeline.warehouse.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What is watched; nothing in it is ever written."""

    store: EpisodeStore
    warehouse: Warehouse


def live_directory(data: Path) -> Path:
    """Return the hub's own directory in a data directory, made (mode 0700) where it is not there.

    Raises
    ------
    OSError
        Where it cannot be made.
    """
    data.mkdir(parents=True, exist_ok=True)
    directory = data / "live"
    make_directory(directory, 0o700)
    return directory


def tokens_in(directory: Path) -> Tokens:
    """Return the producers' tokens of the hub's directory."""
    return Tokens(directory / "tokens.json")

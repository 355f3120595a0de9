"""What the feeders of the store share, and what outlives one that failed.

Not here: what is counted (``holdings``).
"""

import asyncio
from dataclasses import dataclass, field

from cis490_pipeline.live.verdicts import NO_VERDICTS, Verdicts


@dataclass(slots=True)
class Progress:
    """How far reading has come: what is found at the first look counts, and is no news.

    Attributes
    ----------
    lock
        Keeps an old whole reading of the index from being told after newer rows.
    bytes_behind
        Of the index, as the follower last saw it.
    verdicts
        The validation table, as last read.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    index_is_read: bool = False
    alerts_are_read: bool = False
    bytes_behind: int = 0
    verdicts: Verdicts = NO_VERDICTS

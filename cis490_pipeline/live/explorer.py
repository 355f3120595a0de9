"""The table of all episodes: searched, filtered, sorted and cut into pages here, not by the page.

Every received episode is in it, judged or not. A verdict counts for the bytes that were judged: an
episode that was shipped again with others has none until it is judged again.

Not here: HTTP (``app``), reading tables (``verdicts``).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from cis490_pipeline.live.event_parts import (
    ReceivedEpisode,
)
from cis490_pipeline.live.verdicts import Judged

MOST_ROWS: Final = 200
MOST_OFFSET: Final = 999_999_999
MOST_TEXT: Final = 200
UNJUDGED: Final = "unjudged"
"""What a filter calls the status of an episode that has no verdict yet."""

_Text = Annotated[str, Meta(max_length=MOST_TEXT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An episode and its verdict; what is not known is None."""

    episode_id: str
    host_id: str
    sha256: str
    size_bytes: int
    received_at: float | None
    status: str | None
    reasons: tuple[str, ...]
    soft_reasons: tuple[str, ...]
    profile: str | None
    sample_name: str | None
    sample_kind: str | None
    duration_observed_s: float | None
    phases: tuple[str, ...]

    def matches(self, text: str) -> bool:
        """Say whether any of its words contains the text, which is in lower case."""
        words = (
            self.episode_id,
            self.host_id,
            self.sha256,
            self.status or UNJUDGED,
            self.profile or "",
            self.sample_name or "",
            *self.phases,
            *self.reasons,
            *self.soft_reasons,
        )
        return any(text in word.lower() for word in words)


class Sort(StrEnum):
    """What a table can be sorted by."""

    RECEIVED_AT = "received_at"
    EPISODE_ID = "episode_id"
    HOST_ID = "host_id"
    SIZE_BYTES = "size_bytes"
    STATUS = "status"
    PROFILE = "profile"
    SAMPLE_NAME = "sample_name"
    DURATION = "duration_observed_s"


class Order(StrEnum):
    """Missing values stand at the end either way."""

    ASCENDING = "asc"
    DESCENDING = "desc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked; None and the empty text ask for everything."""

    search: _Text = ""
    host: _Text | None = None
    profile: _Text | None = None
    phase: _Text | None = None
    status: _Text | None = None
    sort: Sort = Sort.RECEIVED_AT
    order: Order = Order.DESCENDING
    offset: Annotated[int, Meta(ge=0, le=MOST_OFFSET)] = 0
    limit: Annotated[int, Meta(ge=0, le=MOST_ROWS)] = 50

    @classmethod
    def parse(cls, pairs: Sequence[tuple[str, str]]) -> "Query | None":
        """Read the parameters of a request; None where one is unknown, twice there or no use."""
        values = dict(pairs)
        if len(values) < len(pairs) or not values.keys() <= cls.__dataclass_fields__.keys():
            return None
        try:
            return msgspec.convert(values, cls, strict=False)
        except msgspec.ValidationError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """All values that a filter can have, with the number of episodes of each."""

    hosts: dict[str, int]
    profiles: dict[str, int]
    phases: dict[str, int]
    statuses: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Every episode, in the order in which they were received."""

    rows: tuple[Row, ...]
    choices: Choices


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of what was found.

    ``total`` is the number of episodes that fit, ``everything`` of all there are.
    """

    rows: tuple[Row, ...]
    offset: int
    total: int
    everything: int
    choices: Choices


def row_of(episode: ReceivedEpisode, judged: Judged | None) -> Row:
    """Put an episode and its verdict together, where that is about these bytes."""
    if judged is not None and judged.sha256 != episode.sha256:
        judged = None
    return Row(
        episode_id=episode.episode_id,
        host_id=episode.host_id,
        sha256=episode.sha256,
        size_bytes=episode.size_bytes,
        received_at=episode.received_at,
        status=judged.status if judged else None,
        reasons=judged.reasons if judged else (),
        soft_reasons=judged.soft_reasons if judged else (),
        profile=judged.profile if judged else None,
        sample_name=judged.sample_name if judged else None,
        sample_kind=judged.sample_kind if judged else None,
        duration_observed_s=judged.duration_observed_s if judged else None,
        phases=judged.phases if judged else (),
    )


def listing_of(episodes: Iterable[ReceivedEpisode], judged: Mapping[str, Judged]) -> Listing:
    """Put every episode and its verdict together."""
    rows = tuple(row_of(one, judged.get(one.episode_id)) for one in episodes)
    choices = Choices(
        hosts=_counted(row.host_id for row in rows),
        profiles=_counted(row.profile for row in rows if row.profile is not None),
        phases=_counted(phase for row in rows for phase in set(row.phases)),
        statuses=_counted(row.status or UNJUDGED for row in rows),
    )
    return Listing(rows=rows, choices=choices)


def find(listing: Listing, query: Query) -> Page:
    """Search, filter, sort and cut."""
    text = query.search.strip().lower()
    fitting = [one for one in listing.rows if _fits(one, query) and (not text or one.matches(text))]
    ordered = _sorted(fitting, query)
    return Page(
        rows=tuple(ordered[query.offset : query.offset + query.limit]),
        offset=query.offset,
        total=len(ordered),
        everything=len(listing.rows),
        choices=listing.choices,
    )


def _fits(row: Row, query: Query) -> bool:
    return (
        query.host in (None, row.host_id)
        and query.profile in (None, row.profile)
        and query.status in (None, row.status or UNJUDGED)
        and (query.phase is None or query.phase in row.phases)
    )


def _sorted(rows: list[Row], query: Query) -> list[Row]:
    """Sort; rows with equal values keep the order of arrival, the newest first if descending."""
    descending = query.order is Order.DESCENDING
    name = query.sort.value
    present = [row for row in rows if getattr(row, name) is not None]
    absent = [row for row in rows if getattr(row, name) is None]
    if descending:
        present.reverse()
        absent.reverse()
    present.sort(key=lambda row: getattr(row, name), reverse=descending)
    return present + absent


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))

"""What the hub remembers: the last events in a ring, and the newest of every kind of state.

Both are bounded in number and in bytes. Not here: who gets what (``hub``).
"""

from collections.abc import Iterator
from dataclasses import dataclass

StateKey = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """An event as it is sent; ``key`` is None for an event of a stream."""

    seq: int
    key: StateKey | None
    frame: bytes


class Ring:
    """The last events, without a hole: ``first`` to ``head``, none where ``first`` is greater."""

    def __init__(self, most_events: int, most_bytes: int) -> None:
        self._slots: list[Kept | None] = [None] * most_events
        self._most_bytes = most_bytes
        self.first = 1
        self.head = 0
        self.n_bytes = 0

    def __len__(self) -> int:
        """Return how many events are held."""
        return self.head - self.first + 1

    def append(self, kept: Kept) -> None:
        """Take the next event in; the oldest ones go, the new one stays whatever its size."""
        if len(self) == len(self._slots):
            self._drop_first()
        self._slots[kept.seq % len(self._slots)] = kept
        self.head = kept.seq
        self.n_bytes += len(kept.frame)
        while self.n_bytes > self._most_bytes and self.first < self.head:
            self._drop_first()

    def _drop_first(self) -> None:
        place = self.first % len(self._slots)
        dropped, self._slots[place] = self._slots[place], None
        self.first += 1
        self.n_bytes -= 0 if dropped is None else len(dropped.frame)

    def after(self, seq: int) -> Iterator[Kept]:
        """Yield what is held behind ``seq``, in order; nothing may be appended meanwhile."""
        size = len(self._slots)
        for number in range(max(seq + 1, self.first), self.head + 1):
            kept = self._slots[number % size]
            if kept is not None:
                yield kept


class Newest:
    """The newest event of each key of one state topic, in the order in which they came."""

    def __init__(self, most_keys: int, most_bytes: int) -> None:
        self._most_keys = most_keys
        self._most_bytes = most_bytes
        self._kept: dict[StateKey, Kept] = {}
        self.n_bytes = 0
        self.n_dropped = 0

    def __len__(self) -> int:
        """Return how many keys are held."""
        return len(self._kept)

    def put(self, key: StateKey, kept: Kept) -> None:
        """Let an event take the place of the one before it; the key that changed longest ago goes.

        The new one stays, whatever its size.
        """
        self._take_out(key)
        self._kept[key] = kept
        self.n_bytes += len(kept.frame)
        while len(self) > 1 and (len(self) > self._most_keys or self.n_bytes > self._most_bytes):
            self._take_out(next(iter(self._kept)))
            self.n_dropped += 1

    def _take_out(self, key: StateKey) -> None:
        gone = self._kept.pop(key, None)
        self.n_bytes -= 0 if gone is None else len(gone.frame)

    def seq_of(self, key: StateKey) -> int | None:
        """Return which event is the newest of a key; None where none is held."""
        found = self._kept.get(key)
        return None if found is None else found.seq

    def all(self) -> tuple[Kept, ...]:
        """Return what is held."""
        return tuple(self._kept.values())

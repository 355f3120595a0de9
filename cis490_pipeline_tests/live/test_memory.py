"""What is remembered is bounded, whatever comes."""

from hypothesis import given
from hypothesis import strategies as st

from cis490_pipeline.live.memory import Kept, Newest, Ring


@given(
    st.integers(1, 9), st.integers(1, 60), st.lists(st.integers(1, 50), max_size=60), st.integers(0)
)
def test_a_ring_holds_the_last_events_without_a_hole(most_events, most_bytes, sizes, asked):
    ring = Ring(most_events, most_bytes)
    for number, size in enumerate(sizes, start=1):
        ring.append(Kept(number, None, b"x" * size))
        held = list(ring.after(0))
        assert [one.seq for one in held] == list(range(ring.first, number + 1))
        assert 1 <= len(held) == len(ring) <= most_events
        assert ring.n_bytes == sum(len(one.frame) for one in held)
        assert ring.n_bytes <= most_bytes or len(held) == 1
    assert [one.seq for one in ring.after(asked)] == [
        number for number in range(ring.first, ring.head + 1) if number > asked
    ]


@given(
    st.integers(1, 5),
    st.integers(1, 60),
    st.lists(st.tuples(st.sampled_from("abcdefg"), st.integers(1, 40)), max_size=60),
)
def test_the_newest_of_a_key_counts_and_the_longest_unchanged_key_goes(
    most_keys, most_bytes, events
):
    newest = Newest(most_keys, most_bytes)
    model: dict[str, Kept] = {}
    for number, (name, size) in enumerate(events, start=1):
        kept = Kept(number, (name,), b"x" * size)
        newest.put((name,), kept)
        model.pop(name, None)
        model[name] = kept
        while len(model) > 1 and (
            len(model) > most_keys or sum(len(one.frame) for one in model.values()) > most_bytes
        ):
            del model[next(iter(model))]
        assert newest.all() == tuple(model.values())
        assert newest.n_bytes == sum(len(one.frame) for one in model.values())
        assert newest.seq_of((name,)) == number
    assert newest.seq_of(("never",)) is None

"""The quick version of the fuzzing drill, and every input that it ever found."""

import numpy as np
import pytest

from cis490_pipeline_tests.drills.readers import CHECKS, FOUND, check, seeds

INPUTS = [*seeds(), *(path.read_bytes() for path in sorted(FOUND.glob("*.bin")))]
_TOKENS = (b"", b"\n", b"\0", b"\xff", b"{", b"}", b'"', b"1e999", b"-", b"null", b"9" * 20, b"\\u")


def mutated(data: bytes, generator: np.random.Generator) -> bytes:
    """Put, cut, copy or flip at up to three places; the first byte (the kind of check) stays."""
    for _ in range(int(generator.integers(1, 4))):
        at, to = sorted(int(i) for i in generator.integers(1, len(data) + 1, 2))
        match int(generator.integers(4)):
            case 0:
                data = data[:at] + _TOKENS[generator.integers(len(_TOKENS))] + data[at:]
            case 1:
                data = data[:at] + data[min(to, at + 40) :]
            case 2:
                data = data[:to] + data[at : at + 200] + data[to:]
            case _:
                flip = bytes(b ^ int(generator.integers(256)) for b in data[at : at + 2])
                data = data[:at] + flip + data[at + 2 :]
    return data


def test_every_check_has_an_honest_seed() -> None:
    assert {seed[0] for seed in seeds()} == set(range(len(CHECKS)))


@pytest.mark.parametrize("number", range(len(INPUTS)))
def test_readers_hold_for_honest_found_and_damaged_bytes(number: int) -> None:
    check(INPUTS[number])
    generator = np.random.default_rng(number)
    for _ in range(60):
        check(mutated(INPUTS[number], generator))

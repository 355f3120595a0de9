"""A number in [0, 1) for a name, the same for ever and independent of every other name.

Why a hash and no shuffle: an episode's lot must not depend on which other episodes exist, or each
new episode would move old ones between roles and every model would be stale.
Source: BLAKE2b with a key, RFC 7693.
"""

import hashlib
from enum import StrEnum


class Purpose(StrEnum):
    """What a lot is drawn for; lots for different purposes are independent."""

    ID_VAL = "id_val"
    SAMPLE_TEST = "sample_test"
    CONTROL_TEST = "control_test"


def keyed_fraction(text: str, *, salt: str, purpose: Purpose) -> float:
    """Return a fraction in [0, 1), uniform over texts.

    >>> keyed_fraction("a", salt="s", purpose=Purpose.ID_VAL) == keyed_fraction(
    ...     "a", salt="s", purpose=Purpose.ID_VAL
    ... )
    True
    """
    # surrogatepass: a hostile sample name must not end a plan.
    raw = text.encode(errors="surrogatepass")
    digest = hashlib.blake2b(
        raw, digest_size=8, key=salt.encode(), person=purpose.value.encode()
    ).digest()
    # 53 bits: what a float64 holds exactly, so that the result can never round up to 1.
    return (int.from_bytes(digest, "big") >> 11) / 2**53

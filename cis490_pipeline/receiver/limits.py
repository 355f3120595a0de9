"""How much a receiver takes from one request and from all of them.

Not here: where the values come from (``settings``).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of the receiver.

    Attributes
    ----------
    max_bytes
        Of one tarball.
    uploads
        Bodies that are received at the same time; whoever comes beyond is asked to come again.
    body_s
        Seconds in which a body must have come, and a download must be read.
    headers_s
        Seconds in which a connection must bring the headers of a request.
    """

    max_bytes: int = 256 << 20
    uploads: int = 64
    body_s: float = 300.0
    headers_s: float = 15.0

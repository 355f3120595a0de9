"""How the readers of this package unwind to their door.

Not here: the value that callers see (``episode.OpenFailure``).
"""

from cis490_pipeline.episodes.episode import OpenFailure


class Refused(Exception):  # noqa: N818 - it is not an error but a way out; it never leaves the package
    """Carries an ``OpenFailure`` from deep inside a reader to the function that returns it."""

    def __init__(self, kind: str, message: str) -> None:
        self.failure = OpenFailure(kind=kind, message=message)
        super().__init__(message)

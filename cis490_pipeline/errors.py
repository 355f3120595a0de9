"""Exceptions of program and machine, one small tree.

Faults of the *data* are values (``Verdict``, ``Damage``, ``Refusal``), never exceptions.

::

    Cis490Error
    ├── ConfigurationError      settings, options or run configuration that cannot work
    ├── StoreError              the episode store cannot be read at all
    ├── TransferError           a receiver cannot be reached, or refuses what it is asked
    ├── WarehouseError          an artifact cannot be written, read or found
    ├── IngestError             a worker of ingest dies, and no episode explains it
    ├── SchemaMismatchError     an artifact was made for another feature schema
    ├── ArrayFileError          a file of plain arrays is not what it has to be
    ├── BundleError             a model bundle is damaged, hostile or of a foreign format
    ├── SplitRefusedError       a split would be unsound on the data at hand
    ├── LeakageError            training data and test data are not disjoint
    ├── TrainingError           a model cannot be fitted on this training set
    │   └── AttemptsExhaustedError   a job identity failed too often to be tried again
    ├── EvaluationError         predictions cannot be scored or compared honestly
    └── TrainingCancelledError  the run that owns a fit was cancelled

Every exception says what went wrong, where, what was expected, what was found and what to do.
"""


class Cis490Error(Exception):
    """Root of the tree; carries the five parts of a useful message.

    Parameters
    ----------
    what
        One clause: what went wrong.
    where
        File, table, asset or option that it is about.
    expected, found
        The two sides of the contradiction; empty where there are none.
    todo
        What the reader should do next.
    """

    def __init__(
        self, what: str, *, where: str = "", expected: str = "", found: str = "", todo: str = ""
    ) -> None:
        self.what = what
        self.where = where
        self.expected = expected
        self.found = found
        self.todo = todo
        super().__init__(self.render())

    def render(self) -> str:
        """Return the message with the parts that are present.

        >>> Cis490Error("no index", where="/lab/index.jsonl", todo="check CIS490_STORE").render()
        'no index [where: /lab/index.jsonl] [do: check CIS490_STORE]'
        """
        parts = {
            "where": self.where,
            "expected": self.expected,
            "found": self.found,
            "do": self.todo,
        }
        tail = "".join(f" [{name}: {text}]" for name, text in parts.items() if text)
        return self.what + tail

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild from the parts, so that the error survives a process boundary."""
        parts = (self.what, self.where, self.expected, self.found, self.todo)
        return (_rebuild, (type(self), *parts))


def _rebuild(
    kind: type[Cis490Error], what: str, where: str, expected: str, found: str, todo: str
) -> Cis490Error:
    return kind(what, where=where, expected=expected, found=found, todo=todo)


class ConfigurationError(Cis490Error):
    """Settings, options or run configuration that cannot work."""


class StoreError(Cis490Error):
    """The episode store cannot be read at all."""


class TransferError(Cis490Error):
    """A receiver cannot be reached, or refuses what it is asked."""


class WarehouseError(Cis490Error):
    """An artifact cannot be written, read or found."""


class IngestError(Cis490Error):
    """A worker of ingest dies again and again, and no episode explains it."""


class SchemaMismatchError(Cis490Error):
    """An artifact was made for another feature schema; names the first difference."""


class ArrayFileError(Cis490Error):
    """A file of plain arrays is not what it has to be."""


class BundleError(Cis490Error):
    """A model bundle is damaged, hostile or of a foreign format."""


class SplitRefusedError(Cis490Error):
    """A split would be unsound on the data at hand."""


class LeakageError(Cis490Error):
    """Training data and test data are not disjoint."""


class TrainingError(Cis490Error):
    """A model cannot be fitted on this training set."""


class AttemptsExhaustedError(TrainingError):
    """A job identity failed too often to be tried again."""


class EvaluationError(Cis490Error):
    """Predictions cannot be scored or compared honestly."""


class TrainingCancelledError(Cis490Error):
    """The run that owns a fit was cancelled."""

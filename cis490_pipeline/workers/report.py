"""What a worker says of itself, as one JSON object: its capability, and the queues that it serves.

Not here: where the object travels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.workers.capability import Capability
from cis490_pipeline.workers.queues import Queue, QueueVerdict
from cis490_pipeline.workers.self_test import SelfTest

LARGEST_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReport:
    """A machine, and the verdict on every queue."""

    capability: Capability
    queues: tuple[QueueVerdict, ...]


class _Queues(msgspec.Struct, frozen=True):
    queues: tuple[Queue, ...]
    refused: dict[Queue, tuple[str, ...]]


def report_values(report: WorkerReport, tests: Sequence[SelfTest] = ()) -> dict[str, object]:
    """Return the object; beside the capability's own fields stands what readers ask first.

    ``cuda`` is null where nobody could look, ``vram_bytes`` where there is no device, and
    ``self_test`` where none was run.
    """
    found = report.capability
    return {
        **msgspec.to_builtins(found),
        "cuda": found.has_cuda,
        "vram_bytes": [one.vram_bytes for one in found.devices or ()] or None,
        "queues": [one.queue.value for one in report.queues if one.served],
        "refused": {one.queue.value: list(one.reasons) for one in report.queues if not one.served},
        "self_test": msgspec.to_builtins(list(tests)) or None,
    }


def report_from_json(line: bytes, *, where: str) -> WorkerReport:
    """Return what a report says.

    Raises
    ------
    ConfigurationError
        Where it is none.
    """
    try:
        if len(line) > LARGEST_BYTES:
            raise msgspec.ValidationError(f"{len(line)} bytes")
        capability = msgspec.json.decode(line, type=Capability)
        queues = msgspec.json.decode(line, type=_Queues)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(
            "cannot use the report of a worker",
            where=where,
            expected="what `cis490 capability --json` prints on that machine",
            found=str(error),
            todo="write it again, with the version that is installed here",
        ) from error
    verdicts = {queue: QueueVerdict(queue=queue, reasons=()) for queue in queues.queues}
    for queue, reasons in queues.refused.items():
        verdicts[queue] = QueueVerdict(queue=queue, reasons=reasons)
    return WorkerReport(capability=capability, queues=tuple(verdicts.values()))

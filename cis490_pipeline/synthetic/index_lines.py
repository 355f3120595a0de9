"""The bytes of ``index.jsonl``, with what may be wrong with them.

Not here: which places are damaged (``plan``).
Source: episode format, section *index.jsonl*.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cis490_pipeline.synthetic.damage import RESHIPS, IndexDamage
from cis490_pipeline.synthetic.documents import iso_time
from cis490_pipeline.synthetic.plan import EpisodePlan
from cis490_pipeline.synthetic.recorder import Claim
from cis490_pipeline.synthetic.row_text import json_text

_JUNK: Final[Mapping[IndexDamage, bytes]] = {
    IndexDamage.BLANK: b"",
    IndexDamage.NOT_UTF8: b'{"episode_id": "\xff\xfe\xfd", "host_id": "lab"}',
    IndexDamage.NOT_OBJECT: b'["episode_id", "host_id"]',
    IndexDamage.BAD_ID: (
        b'{"episode_id": "../../../etc/passwd", "host_id": "..", "sha256": "' + b"0" * 64 + b'", '
        b'"size_bytes": 1}'
    ),
}


def index_row(plan: EpisodePlan, host: str, claim: Claim, *, iso_times: bool) -> bytes:
    """Return one row without its newline.

    Parameters
    ----------
    host
        Who shipped it: not always the plan's.
    iso_times
        ``received_at_wall`` as ISO 8601, else as Unix seconds.
    """
    received: str | float = plan.received_ns // 1_000_000 / 1000
    row: dict[str, object] = {
        "episode_id": plan.episode_id,
        "host_id": host,
        "sha256": claim.sha256,
        "size_bytes": claim.size_bytes,
        "received_at_wall": iso_time(plan.received_ns) if iso_times else received,
    }
    return json_text(row, spaced=True)


def damaged_lines(
    rows: Iterable[tuple[bytes, bytes | None]], damage: Mapping[int, IndexDamage]
) -> Iterator[bytes]:
    """Yield the index piece by piece.

    Parameters
    ----------
    rows
        Per episode its row and, where it was shipped before, that row.
    damage
        By position of the episode. No two beside each other; ``PARTIAL`` only at the last one.
    """
    for position, (row, earlier) in enumerate(rows):
        kind = damage.get(position)
        if earlier is not None:
            yield earlier + b"\n"
        yield row
        if kind is not IndexDamage.TORN:
            yield b"\n"
        if kind is IndexDamage.PARTIAL:
            yield row[: len(row) // 2]
        elif kind is not None and kind is not IndexDamage.TORN and kind not in RESHIPS:
            yield _junk(kind, row) + b"\n"


def _junk(kind: IndexDamage, row: bytes) -> bytes:
    if kind is IndexDamage.NOT_JSON:
        return row[: len(row) // 3]
    if kind is IndexDamage.MISSING_KEY:
        return row.replace(b'"sha256"', b'"md5"')
    return _JUNK[kind]

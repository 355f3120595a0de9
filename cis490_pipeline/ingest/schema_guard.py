"""Tables of one data directory have one feature schema.

Not here: what the schema is (``schema.fingerprint``), its published form
(``features.published_schema``).
"""

import json

from cis490_pipeline.errors import SchemaMismatchError
from cis490_pipeline.features.published_schema import published_schema
from cis490_pipeline.schema.fingerprint import current_schema
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.layout import Layout


def publish_schema(layout: Layout) -> None:
    """Write ``feature_schema.json`` beside the tables, or refuse to mix two schemas in one table.

    Raises
    ------
    SchemaMismatchError
        Where the directory holds tables of another schema.
    """
    path = layout.feature_schema
    wanted = published_schema().to_json()
    if not path.is_file():
        write_bytes(path, wanted)
        return
    held = path.read_bytes()
    if held == wanted:
        return
    found, here = _fingerprint(held), current_schema().fingerprint
    if found == here:  # same numbers, another rendering of the published form
        write_bytes(path, wanted)
        return
    raise SchemaMismatchError(
        "the tables were made for another feature schema",
        where=str(path),
        expected=here[:12],
        found=found[:12],
        todo="use a new data directory, or delete tables/ and tensor/ in this one and ingest again",
    )


def _fingerprint(raw: bytes) -> str:
    try:
        return str(json.loads(raw)["fingerprint"])
    except (ValueError, KeyError, TypeError):
        return "unreadable"

"""The reports' colours for the live page: a file beside it, made from the palette.

Not here: the colours (``reporting.palette``).
"""

from pathlib import Path
from typing import Final

import msgspec

from cis490_pipeline.reporting.palette import (
    FAMILY_COLOURS,
    PHASE_COLOURS,
    STATUS_COLOURS,
    family_colour,
)
from cis490_pipeline.schema.phases import PHASES

PALETTE_FILE: Final = Path(__file__).with_name("page") / "palette.json"


def palette_bytes() -> bytes:
    """Return the file: colours by name, and the orders in which families and phases are shown."""
    content = {
        "families": FAMILY_COLOURS,
        "family_order": list(FAMILY_COLOURS),
        "phases": PHASE_COLOURS,
        "phase_order": [phase.value for phase in PHASES],
        "statuses": STATUS_COLOURS,
        "unknown": family_colour(""),
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"

"""One data directory: its layout and its tables, handed around as one value.

Not here: the formats of what is stored.
"""

from dataclasses import dataclass
from pathlib import Path

from cis490_pipeline.warehouse.layout import Layout
from cis490_pipeline.warehouse.tables import Tables


@dataclass(frozen=True, slots=True)
class Warehouse:
    """The artifacts of one data directory (absolute path)."""

    root: Path

    @property
    def layout(self) -> Layout:
        """Where everything is."""
        return Layout(self.root)

    @property
    def tables(self) -> Tables:
        """The Delta tables."""
        return Tables(self.layout)

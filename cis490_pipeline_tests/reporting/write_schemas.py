"""Write the published JSON schemas anew, as ``python -m`` and this module's name.

Raise a kind's version where a field went away or means something else.
"""

from pathlib import Path

import cis490_pipeline.reporting
from cis490_pipeline.reporting.published import KINDS, schema_of

if __name__ == "__main__":
    for kind in KINDS:
        directory = Path(cis490_pipeline.reporting.__file__).with_name("schema")
        (directory / kind.schema_name).write_bytes(schema_of(kind))

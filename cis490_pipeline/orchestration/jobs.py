"""The jobs: what people, the command line and (later) sensors start.

Not here: assets, and how a run is executed (``launch``).
"""

from typing import Final

import dagster as dg

from cis490_pipeline.orchestration.assets_ingest import INGEST_KEYS

INGEST_HOST: Final = dg.define_asset_job(
    name="ingest_host",
    selection=dg.AssetSelection.assets(*INGEST_KEYS),
    description="Read one host's new episodes into tables and shards.",
    tags={"cis490/job": "ingest_host"},
)

FULL_SPLIT: Final = dg.define_asset_job(
    name="full_split",
    selection=dg.AssetSelection.groups("splits", "models", "evaluation", "reports"),
    description="Plan one split, fit every model on it, score them, write the report.",
    tags={"cis490/job": "full_split"},
)

"""The jobs: what people, the command line and sensors start.

Not here: assets, and how a run is executed (``launch``).
"""

from typing import Final

import dagster as dg

from cis490_pipeline.orchestration.assets_ingest import INGEST_KEYS
from cis490_pipeline.orchestration.retrying import SIX_HOURS

INDEX: Final = "index.jsonl"
"""The index that sensors follow."""

INGEST_HOST: Final = dg.define_asset_job(
    name="ingest_host",
    selection=dg.AssetSelection.assets(*INGEST_KEYS),
    description="Read one host's new episodes into tables and shards.",
    tags={"cis490/job": "ingest_host", **SIX_HOURS},
)

EVALUATE_SPLIT: Final = dg.define_asset_job(
    name="evaluate_split",
    selection=dg.AssetSelection.assets("test_set")
    | dg.AssetSelection.groups("evaluation", "reports"),
    description="Score the split's models again and write the report; fits nothing. Of the "
    "evaluations, choose those whose models there are.",
    tags={"cis490/job": "evaluate_split", **SIX_HOURS},
)

FULL_SPLIT: Final = dg.define_asset_job(
    name="full_split",
    selection=dg.AssetSelection.groups("splits", "models", "evaluation", "reports"),
    description="Plan one split, fit every model on it, score them, write the report.",
    tags={"cis490/job": "full_split"},
)

"""``data/corpus/validation_v1.parquet`` is what this code says of ``data/corpus``."""

from pathlib import Path

import pyarrow.parquet as pq

from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest.run import IngestOptions
from cis490_pipeline.ingest.sweep import sweep_store
from cis490_pipeline.schema.tables import VALIDATION_COLUMNS

CORPUS = Path(__file__).resolve().parents[2] / "data" / "corpus"


def test_the_committed_verdicts_are_regenerated(tmp_path: Path) -> None:
    """Regenerate with ``cis490 validate data/corpus --out data/corpus/validation_v1.parquet``."""
    sweep_store(EpisodeStore(CORPUS), tmp_path / "fresh.parquet", options=IngestOptions(threads=2))
    fresh = pq.read_table(tmp_path / "fresh.parquet")
    committed = pq.read_table(CORPUS / "validation_v1.parquet")
    assert committed.schema.equals(VALIDATION_COLUMNS)
    assert fresh.equals(committed)


def test_the_verdicts_are_those_of_the_corpus_readme() -> None:
    rows = pq.read_table(CORPUS / "validation_v1.parquet").to_pylist()
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row["host_id"], row["status"])
        counts[key] = counts.get(key, 0) + 1
    assert counts == {
        ("lab-a", "accepted"): 90,
        ("lab-b", "accepted"): 45,
        ("lab-b", "degraded"): 32,
    }

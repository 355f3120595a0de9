"""The data card as an asset: files, counts and a small table, over all hosts and the store."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from cis490_pipeline_tests.orchestration.conftest import Farm


def test_the_card_tells_its_counts_and_where_it_is(farm: Farm) -> None:
    with (farm.store / "index.jsonl").open("ab") as index:
        index.write(b"nonsense\n")
    (farm.store / "alerts.jsonl").write_bytes(b'{"host": "lab-b", "dedup_key": "k"}\n{"torn')
    farm.ingest("lab-a", "lab-b")
    result = farm.run("data_card")
    (event,) = result.asset_materializations_for_node("data_card")
    told: dict[str, Any] = {name: value.value for name, value in event.metadata.items()}
    counts = ("episodes", "hosts", "profiles", "damaged_index_rows", "alerts")
    assert [told[name] for name in counts] == [24, 2, 3, 1, 1]
    assert told["windows"] > 0
    assert "lab-b" in told["coverage"]
    assert str(told["html"]).startswith("file://")
    for name in ("markdown", "json", "export"):
        assert Path(str(told[name])).stat().st_size > 0
    assert pq.read_table(str(told["export"])).num_rows == 24


def test_an_unreadable_file_of_alerts_stops_no_card(farm: Farm) -> None:
    (farm.store / "alerts.jsonl").mkdir()
    farm.ingest("lab-a")
    result = farm.run("data_card")
    assert result.success
    (event,) = result.asset_materializations_for_node("data_card")
    assert event.metadata["alerts"].value == 0

"""The feature schema for other programs."""

import json

from cis490_pipeline.features.published_schema import published_schema
from cis490_pipeline.schema.channels import CHANNELS
from cis490_pipeline.schema.fingerprint import current_schema
from cis490_pipeline.schema.windows import FEATURE_NAMES


def test_file_has_the_promised_keys_in_order() -> None:
    raw = json.loads(published_schema().to_json())
    assert list(raw) == [
        "version",
        "fingerprint",
        "phases",
        "feature_names",
        "in_deployment_mask",
        "channels",
        "stat_suffixes",
        "window_seconds",
        "stride_seconds",
    ]
    assert raw["phases"] == ["clean", "armed", "infecting", "infected_running", "dormant"]
    assert raw["stat_suffixes"] == ["mean", "std", "p50", "p95", "slope", "missing"]
    assert (raw["window_seconds"], raw["stride_seconds"]) == (10.0, 5.0)
    assert raw["fingerprint"] == current_schema().fingerprint
    assert raw["channels"][13] == {
        "name": "cpu_user_ticks",
        "source": "guest",
        "kind": "counter",
        "in_deployment": True,
    }


def test_mask_runs_beside_the_names() -> None:
    schema = published_schema()
    assert schema.feature_names == FEATURE_NAMES
    assert len(schema.in_deployment_mask) == len(FEATURE_NAMES)
    for name, visible in zip(schema.feature_names, schema.in_deployment_mask, strict=True):
        assert visible == name.startswith(("guest_", "netflow_"))
    assert [c.in_deployment for c in schema.channels] == [c.realistic for c in CHANNELS]


def test_the_same_schema_gives_the_same_bytes() -> None:
    data = published_schema().to_json()
    assert data == published_schema().to_json()
    assert data.endswith(b"}\n")

"""The ingest assets survive their decoder, and a cancelled run leaves no process behind."""

import pytest

from cis490_pipeline_tests.episodes.building import episode_id
from cis490_pipeline_tests.ingest.poison import poison, verdicts
from cis490_pipeline_tests.orchestration.conftest import INGEST, Farm


def test_a_tarball_that_kills_the_decoder_does_not_fail_the_run(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, farm.store, {3: "segfault"})
    ran = farm.run(INGEST, "lab-a")
    assert ran.success
    found = verdicts(farm.settings.data)
    assert found[episode_id(3)] == ("error", ["open-failed:DecoderDied:SIGSEGV"])
    assert [status for status, _ in found.values()].count("accepted") == 11
    (told,) = ran.asset_materializations_for_node("ingest")[:1]
    assert told.metadata["episodes_new"].value == 12

"""A receiver for one test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cis490_pipeline_tests.receiver.doors import Door, open_door


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with open_door(tmp_path / "store", max_bytes=1000) as opened:
        yield opened

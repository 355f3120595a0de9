"""``quality.toml``: read where it is right, refused with the names where it is not."""

from pathlib import Path

import pytest

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.quality.config import QualityConfig, load_quality_config


def written(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "quality.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_no_file_and_an_empty_file_are_the_defaults(tmp_path: Path) -> None:
    assert load_quality_config(tmp_path / "quality.toml") == QualityConfig()
    assert load_quality_config(written(tmp_path, "# nothing yet\n")) == QualityConfig()


def test_what_the_file_names_replaces_the_default(tmp_path: Path) -> None:
    path = written(
        tmp_path, 'recent_episodes = 7\nmax_skew_s = 3\nmay_be_constant = ["qmp_blk_rd_bytes"]\n'
    )
    found = load_quality_config(path)
    assert (found.recent_episodes, found.max_skew_s) == (7, 3.0)
    assert found.may_be_constant == ("qmp_blk_rd_bytes",)
    assert found.downgrade_p == QualityConfig().downgrade_p


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("recent_episodes = [", ""),
        ("recent_episodse = 7", "recent_episodse"),
        ("[downgrade]\np = 0.1", "downgrade"),
        ("recent_episodes = 7.5", "int"),
        ("max_skew_s = '2'", "float"),
        ("may_be_constant = 'proc_majflt'", "array"),
        (b"max_skew_s = 2 # \xff", "utf-8"),
    ],
)
def test_a_file_of_another_form_is_refused_with_the_names(
    tmp_path: Path, content: str | bytes, found: str
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ConfigurationError, match="thresholds of the quality checks") as caught:
        load_quality_config(path)
    assert caught.value.where == str(path)
    assert "max_skewed_share" in caught.value.expected
    assert found in caught.value.found


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ("recent_episodes = 0", "recent_episodes"),
        ("min_recent = -1", "min_recent"),
        ("downgrade_p = 1.5", "downgrade_p"),
        ("absent_share = -0.1", "absent_share"),
        ("absent_share = nan", "absent_share"),
        ("max_skew_s = inf", "max_skew_s"),
        ("max_skew_s = nan", "max_skew_s"),
        ("may_be_constant = ['majflt']", "may_be_constant"),
    ],
)
def test_a_threshold_out_of_range_is_refused(tmp_path: Path, content: str, where: str) -> None:
    with pytest.raises(ConfigurationError, match="out of range") as caught:
        load_quality_config(written(tmp_path, content))
    assert caught.value.where == where

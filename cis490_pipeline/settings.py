"""Where things are: read from the environment (prefix ``CIS490_``) once, at an edge.

Not here: anything that changes a number (that is a frozen dataclass of the domain and part of an
artifact's identity) and anything that a launchpad shows (``dg.Config``).
"""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Directories of one installation; all of them absolute once built.

    ``store`` holds ``index.jsonl`` and ``episodes/``; ``data`` is the warehouse, written by the
    pipeline alone. ``threads`` is the number of decoding threads, 0 = one per core. An episode
    whose visit takes longer than ``visit_limit_s`` is taken for one that hangs the decoder.
    ``reports_url`` is where ``<data>/reports`` is served; empty: links name files.
    ``webhook_url`` hears of failed runs; its path may be a secret, so it is shown nowhere.
    ``receiver_…`` bound what ``cis490 receive`` takes: bytes of a tarball, bodies at the same time,
    seconds for one. ``token`` is what ``ship`` and ``pull`` show a receiver.
    """

    model_config = SettingsConfigDict(env_prefix="CIS490_", frozen=True, extra="ignore")

    store: Path = Path("data/corpus")
    data: Path = Path("data/warehouse")
    threads: int = 0
    visit_limit_s: float = Field(default=120.0, gt=0)
    reports_url: str = ""
    webhook_url: SecretStr = SecretStr("")
    receiver_max_bytes: int = Field(default=256 << 20, gt=0)
    receiver_uploads: int = Field(default=64, gt=0)
    receiver_body_s: float = Field(default=300.0, gt=0)
    token: SecretStr = SecretStr("")

    @field_validator("store", "data")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        # A relative directory would follow each process's cwd and split the history silently.
        return path.expanduser().resolve()

    @property
    def dagster_home(self) -> Path:
        """Dagster's home, always below the data directory."""
        return self.data / "dagster"

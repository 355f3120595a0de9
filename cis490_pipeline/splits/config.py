"""The numbers of a split: frozen, and part of every identity that a split enters.

Not here: which hosts train and which test (``recipes.HostLists``).
"""

from dataclasses import dataclass
from typing import Final

from cis490_pipeline.errors import ConfigurationError

TRAINABLE_STATUSES: Final = ("accepted", "degraded")
"""The statuses of the gate whose episodes may take part at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitConfig:
    """Shares and the key of the hash that deals episodes out.

    Attributes
    ----------
    statuses
        Statuses of the gate that take part; ``degraded`` has no netflow.
    id_val_share
        Expected share of the training side that becomes id_val, 0 … 1.
    time_train_share
        Share of the episodes before the cut of ``time``, 0 … 1.
    sample_test_share
        Share of a profile's sample names, and of the controls, that ``sample`` holds out, 0 … 1.
    salt
        Key of the keyed hash; another salt is another split. At most 64 bytes of UTF-8.
    """

    statuses: tuple[str, ...] = TRAINABLE_STATUSES
    id_val_share: float = 0.2
    time_train_share: float = 0.7
    sample_test_share: float = 0.3
    salt: str = "cis490-splits-1"

    def __post_init__(self) -> None:
        """Refuse what no split could be made with.

        Raises
        ------
        ConfigurationError
            For a share outside (0, 1), a status that never trains, or an unusable salt.
        """
        for name in ("id_val_share", "time_train_share", "sample_test_share"):
            _require_share(name, getattr(self, name))
        _require_statuses(self.statuses)
        if not 1 <= len(self.salt.encode()) <= 64:
            raise ConfigurationError(
                "the salt of the splits cannot key the hash",
                where="SplitConfig.salt",
                expected="1 to 64 bytes of UTF-8",
                found=f"{len(self.salt.encode())} bytes",
            )


def _require_share(name: str, share: float) -> None:
    if not 0.0 < share < 1.0:
        raise ConfigurationError(
            "a share of a split is out of range",
            where=f"SplitConfig.{name}",
            expected="more than 0 and less than 1",
            found=str(share),
        )


def _require_statuses(statuses: tuple[str, ...]) -> None:
    if not statuses or not set(statuses) <= set(TRAINABLE_STATUSES):
        raise ConfigurationError(
            "these statuses cannot train",
            where="SplitConfig.statuses",
            expected="some of " + ", ".join(TRAINABLE_STATUSES),
            found=", ".join(statuses) or "none",
        )

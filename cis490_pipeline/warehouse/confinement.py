"""What a fit may read of a data directory: the episodes of its training set, and no other row.

A guard at run time beside the import contract: whatever a fit comes to do (a scaler over
everything, pseudo-labels for windows of the test set, a trunk that is pre-trained on them), it has
to read those windows first, and that is where it is refused.

Not here: who trains (``datasets.training_sets``). It holds for all that comes through ``Warehouse``
and stops mistakes; code that opens files by itself is not held back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from cis490_pipeline.errors import LeakageError
from cis490_pipeline.schema.tables import TABLE_SCHEMAS, Table

_EPISODE: Final = "episode_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """Whose rows may be read; ``of`` names the set in a refusal, e.g. a split."""

    episode_ids: frozenset[str]
    of: str

    def columns(self, table: Table, columns: Sequence[str]) -> list[str]:
        """Return the columns to read so that every row can be told by its episode.

        Raises
        ------
        LeakageError
            For a table whose rows belong to no episode: the ledger of test sets.
        """
        if _EPISODE not in TABLE_SCHEMAS[table].names:
            raise self._refusal(f"table {table.value}")
        return list(dict.fromkeys([*columns, _EPISODE]))

    def require(self, table: Table, rows: pa.Table) -> None:
        """Refuse rows of other episodes.

        Raises
        ------
        LeakageError
            Naming the table and the first of them.
        """
        read = set(rows[_EPISODE].unique().to_pylist())
        foreign = sorted(read - self.episode_ids)
        if foreign:
            raise self._refusal(
                f"table {table.value}: {foreign[0]} and {len(foreign) - 1} more episodes"
            )

    def refuse(self, what: str) -> None:
        """Refuse something that no fit has any business with; always raises ``LeakageError``."""
        raise self._refusal(what)

    def _refusal(self, found: str) -> LeakageError:
        return LeakageError(
            "a fit reads beyond its training set",
            where=self.of,
            expected=f"the {len(self.episode_ids)} episodes of train and id_val",
            found=found,
            todo="let the code under `training` and `models` read what the training set lists",
        )

"""The fits of a step, and their epochs as observations: the UI plots them while a fit runs.

Not here: what an epoch is (``training``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import dagster as dg

from cis490_pipeline.orchestration.cancel import cancel_guard
from cis490_pipeline.training.fitted import Cancelled
from cis490_pipeline.training.on_split import FitOptions
from cis490_pipeline.training.progress import EpochRecord
from cis490_pipeline.warehouse.warehouse import Warehouse


def label_of(options: FitOptions) -> str:
    """Name one of an asset's fits among the others, as the ending of its metadata keys.

    >>> from cis490_pipeline.schema.channels import Mode
    >>> from cis490_pipeline.schema.context import Context
    >>> label_of(FitOptions(family="gbt", mode=Mode.ORACLE)) == ""
    True
    >>> label_of(FitOptions(family="gbt", mode=Mode.ORACLE, context=Context.RECENT, seed=2))
    '_recent_seed2'
    """
    context = "" if options.context.value == "none" else f"_{options.context.value}"
    return context if options.seed == 0 else f"{context}_seed{options.seed}"


@dataclass(frozen=True, slots=True)
class ObservedEpochs:
    """Reports the epochs of one fit to the run that owns it.

    The keys carry the fit's context and seed, so that every fit has a curve of its own.
    """

    context: dg.AssetExecutionContext
    options: FitOptions

    def epoch(self, record: EpochRecord) -> None:
        """Report one epoch."""
        of = f"{record.part}: " if record.part else ""
        score = "–" if record.id_val_macro_f1 is None else f"{record.id_val_macro_f1:.3f}"
        self.context.log_event(
            dg.AssetObservation(
                asset_key=self.context.asset_key,
                partition=self.context.partition_key,
                description=f"{of}epoch {record.epoch} of {record.most_epochs} at most: "
                f"loss {record.train_loss:.4f}, id_val macro F1 {score}",
                metadata=self._numbers(record),
            )
        )

    def _numbers(self, record: EpochRecord) -> dict[str, dg.MetadataValue]:
        ending = label_of(self.options)
        numbers = {"train_loss": record.train_loss, "lr": record.lr}
        if record.id_val_macro_f1 is not None:
            numbers["id_val_macro_f1"] = record.id_val_macro_f1
        return {
            f"epoch{ending}": dg.MetadataValue.int(record.epoch),
            **{
                f"epoch_{name}{ending}": dg.MetadataValue.float(value)
                for name, value in numbers.items()
            },
        }


Outcome = TypeVar("Outcome")
Fit = Callable[[Warehouse, str, FitOptions, ObservedEpochs, Cancelled], Outcome]


def each_fitted(
    context: dg.AssetExecutionContext,
    warehouse: Warehouse,
    wanted: Sequence[FitOptions],
    fit: Fit[Outcome],
) -> list[tuple[FitOptions, Outcome]]:
    """Fit an asset's models one after the other; a cancelled run stops within an epoch."""
    cancelled = cancel_guard(context.instance, context.run.run_id)
    split = context.partition_key
    return [
        (one, fit(warehouse, split, one, ObservedEpochs(context, one), cancelled)) for one in wanted
    ]

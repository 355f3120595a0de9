"""A warehouse whose episodes are copies of a smaller one's: a large one, quickly made.

Every copy has ticks of its own in a shard and rows of its own in the tables, as if recorded. And a
fit on it that is as small as a fit can be.
"""

from pathlib import Path

import pyarrow as pa

from cis490_pipeline.datasets.loading import load_cases
from cis490_pipeline.datasets.members import Member
from cis490_pipeline.models.catalog import family
from cis490_pipeline.models.classifier import Inputs
from cis490_pipeline.models.hyper_parameters import with_overrides
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.training.fit import fit_family
from cis490_pipeline.training.fitted import Supervision
from cis490_pipeline.warehouse.warehouse import Warehouse

_SHARD = "host=lab-a/repeated-{}.f32"
_N_ID_VAL = 12


def repeated(source: Warehouse, root: Path, times: int) -> Warehouse:
    """Return a warehouse at ``root`` that holds every episode of ``source`` so many times."""
    target = Warehouse(root)
    shards = source.tables.read(Table.EPISODES)["shard"].unique().to_pylist()
    for copy in range(times):
        for number, shard in enumerate(shards):
            path = target.layout.shard(_SHARD.format(f"{copy}-{number}"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(source.layout.shard(shard).read_bytes())
    for table in (Table.EPISODES, Table.WINDOW_FEATURES):
        rows = source.tables.read(table)
        copies = [_copied(rows, copy, shards) for copy in range(times)]
        target.tables.append(table, pa.concat_tables(copies))
    return target


def _copied(rows: pa.Table, copy: int, shards: list[str]) -> pa.Table:
    changed = {"episode_id": [f"{one}-{copy}" for one in rows["episode_id"].to_pylist()]}
    if "shard" in rows.column_names:
        of = rows["shard"].to_pylist()
        changed["shard"] = [_SHARD.format(f"{copy}-{shards.index(one)}") for one in of]
    for name, values in changed.items():
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(values, pa.string()))
    return rows


def small_fit(
    warehouse: Warehouse, name: str, watch: Supervision, *, passes: int = 1, **small: float
) -> None:
    """Load everybody's windows, a few episodes as id_val, and fit a small network."""
    rows = warehouse.tables.read(Table.EPISODES, columns=["episode_id", "sha256"]).to_pylist()
    members, spec = sorted(Member(**row) for row in rows), family(name)
    summary = spec.inputs is Inputs.SUMMARY
    slices = [
        load_cases(
            warehouse,
            who,
            Mode.ORACLE,
            summary=summary,
            sequences=not summary,
            context=Context.RECENT if summary else Context.NONE,
        ).cases
        for who in (members[_N_ID_VAL:], members[:_N_ID_VAL])
    ]
    overrides = {"epochs": passes, "batch_size": 256, "evaluation_steps": 1, **small}
    chosen = with_overrides(spec.hyper_parameters, overrides, where=name)
    fit_family(spec, *slices, hyper_parameters=chosen, watch=watch, phase_filter=summary)

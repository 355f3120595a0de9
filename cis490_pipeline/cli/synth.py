"""``cis490 synth``: a synthetic store with chosen damage."""

import os
from pathlib import Path
from typing import Final

import click

from cis490_pipeline.cli.output import ProgressLine, emit_json, json_option
from cis490_pipeline.synthetic.config import SynthConfig
from cis490_pipeline.synthetic.store import MANIFEST_FILE, write_store

_SECONDS: Final = click.FloatRange(1.0, 86_400.0)
_SHARE: Final = click.FloatRange(0.0, 1.0)


class _HostCounts(click.ParamType[dict[str, int]]):
    """``a=200,b=100``."""

    name = "hosts"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, int]:
        counts: dict[str, int] = {}
        for word in str(value).split(","):
            host, equals, count = word.strip().partition("=")
            if not equals or not count.isdecimal() or host in counts:
                self.fail(f"{word!r} is not HOST=COUNT, or names a host again", param, ctx)
            counts[host] = int(count)
        return counts


@click.command("synth", help="Write a synthetic store with chosen damage to STORE.")
@click.argument("store", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--hosts", type=_HostCounts(), required=True, help="Episodes per host, e.g. a=200,b=100."
)
@click.option(
    "--seconds", type=_SECONDS, default=255.0, show_default=True, help="Of every episode."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--damage", type=_SHARE, default=0.0, show_default=True, help="Share of damaged episodes."
)
@click.option("--controls", type=_SHARE, default=0.08, show_default=True, help="Share of controls.")
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    help="Processes that write; default: one per core. The bytes do not depend on it.",
)
@json_option
def command(
    store: Path,
    hosts: dict[str, int],
    seconds: float,
    seed: int,
    damage: float,
    controls: float,
    threads: int,
    *,
    as_json: bool,
) -> None:
    """Write the store and say how large it is."""
    config = SynthConfig(hosts=hosts, seconds=seconds, seed=seed, damage=damage, controls=controls)
    root = store.resolve()
    with ProgressLine("synth") as progress:
        report = write_store(root, config, threads, progress)
    n_damaged = sum(report.planted.values())
    click.echo(
        f"{report.episodes} episodes, {n_damaged} of them damaged, in {root}: "
        f"{report.compressed_bytes / 1e6:.1f} MB compressed, {report.raw_bytes / 1e6:.1f} MB raw; "
        f"what to expect of each is in {MANIFEST_FILE}"
    )
    emit_json(
        {
            "episodes": report.episodes,
            "raw_bytes": report.raw_bytes,
            "compressed_bytes": report.compressed_bytes,
        },
        wanted=as_json,
    )

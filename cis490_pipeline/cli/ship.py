"""``cis490 ship``: episodes to a receiver, each until it is acknowledged; safe to repeat."""

import sys
import time
from contextlib import closing
from pathlib import Path

import click

from cis490_pipeline.cli.output import emit_json, json_option, say
from cis490_pipeline.cli.transfers import connect, connection_options
from cis490_pipeline.receiver.shipping import Delivery, Fate, count, parcels, ship


@click.command("ship", help="Ship FILES (HOST/EPISODE.tar.zst) to a receiver; safe to repeat.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--to", "url", required=True, help="Address of the receiver.")
@click.option("--host", default=None, help="Who recorded them; default: each file's directory.")
@connection_options
@json_option
def command(
    files: tuple[Path, ...],
    url: str,
    host: str | None,
    token_file: Path | None,
    *,
    plain_http: bool,
    as_json: bool,
) -> None:
    """Ship one after the other and say how they fared; exit 1 where one was not taken."""
    started = time.monotonic()
    named = parcels(files, host)
    done: list[Delivery] = []
    try:
        with closing(connect(url, token_file, plain=plain_http)) as client:
            for delivery in ship(named, client):
                done.append(delivery)
                say(_sentence(delivery))
    finally:
        counts = count(done)
        left = len(named) - len(done)
        words = [f"{counts[fate]} {fate}" for fate in Fate if counts[fate]]
        words += [f"{left} left: the same command goes on with them"] if left else []
        click.echo(", ".join(words) or "nothing to ship")
    emit_json(
        {
            **{fate.value: counts[fate] for fate in Fate},
            "bytes": sum(one.size_bytes for one in done if one.fate is Fate.SHIPPED),
            "seconds": round(time.monotonic() - started, 3),
        },
        wanted=as_json,
    )
    if counts[Fate.SHIPPED] + counts[Fate.ALREADY] < len(named):
        sys.exit(1)


def _sentence(delivery: Delivery) -> str:
    reason = f" ({delivery.reason})" if delivery.reason else ""
    return f"{delivery.parcel.path}: {delivery.fate}{reason}"

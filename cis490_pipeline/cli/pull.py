"""``cis490 pull``: mirror a receiver's store; safe to repeat, goes on where it was interrupted."""

import sys
import time
from contextlib import closing
from pathlib import Path

import click

from cis490_pipeline.cli.output import emit_json, json_option, say
from cis490_pipeline.cli.transfers import connect, connection_options
from cis490_pipeline.errors import StoreError
from cis490_pipeline.receiver.keeper import open_keeper
from cis490_pipeline.receiver.pulling import Mirrored, pull
from cis490_pipeline.schema.ids import host_id_or_none


@click.command("pull", help="Mirror the store of the receiver at URL into STORE; safe to repeat.")
@click.argument("url")
@click.argument("store", type=click.Path(file_okay=False, path_type=Path))
@click.option("--host", default=None, help="One host only; default: all that the token may read.")
@connection_options
@json_option
def command(
    url: str,
    store: Path,
    host: str | None,
    token_file: Path | None,
    *,
    plain_http: bool,
    as_json: bool,
) -> None:
    """Bring the mirror up to date; exit 1 where an episode of the index could not be had."""
    started = time.monotonic()
    if host is not None and host_id_or_none(host) is None:
        raise click.BadParameter(f"{host!r} is no name that a host can have")
    root = store.resolve()
    try:
        with (
            closing(connect(url, token_file, plain=plain_http)) as client,
            open_keeper(root) as keeper,
        ):
            done = pull(keeper, client, url.rstrip("/"), host, say)
            n_episodes = len(keeper)
    except OSError as error:
        raise StoreError(
            "the mirror cannot be written",
            where=error.filename or str(root),
            found=error.strerror or type(error).__name__,
            todo="check the path, its owner and free space, then pull again",
        ) from error
    click.echo(f"{_sentence(done)}; {n_episodes} episodes in {root}")
    seconds = round(time.monotonic() - started, 3)
    emit_json(
        {
            "pulled": done.pulled,
            "held": done.held,
            "superseded": done.superseded,
            "missing": done.missing,
            "bytes": done.pulled_bytes,
            "gap": done.gap,
            "episodes": n_episodes,
            "seconds": seconds,
        },
        wanted=as_json,
    )
    if done.missing:
        sys.exit(1)


def _sentence(done: Mirrored) -> str:
    words = [f"{done.pulled} pulled ({done.pulled_bytes} bytes)"]
    words += [f"{done.superseded} superseded"] if done.superseded else []
    words += [f"{done.missing} could not be had"] if done.missing else []
    words += ["rows of the receiver's index may be missing (rotated away)"] if done.gap else []
    return ", ".join(words)

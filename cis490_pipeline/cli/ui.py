"""``cis490 ui``: Dagster's UI and daemon on loopback, over this data directory.

Not here: the doors through which others come in (``deploy/``).
"""

import os
import sys
from pathlib import Path
from typing import Final

import click

from cis490_pipeline.cli.options import data_option, index_option, settings_for
from cis490_pipeline.cli.output import say
from cis490_pipeline.orchestration.home import instance_file, prepare_home
from cis490_pipeline.orchestration.registration import register_store

LOOPBACK: Final = "127.0.0.1"  # Dagster asks nobody for a password
PORT: Final = 3000
READ_ONLY_PORT: Final = 3001


@click.command("ui", help="Open Dagster's UI over the data directory, on loopback.")
@data_option
@index_option
@click.option(
    "--read-only",
    is_flag=True,
    help="For people who only look: no daemon, every mutation is refused.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help=f"[default: {PORT}, read-only {READ_ONLY_PORT}]",
)
def command(data: Path | None, index: str, port: int | None, *, read_only: bool) -> None:
    """Prepare Dagster's home, then become ``dg dev``, or a webserver which refuses mutations."""
    settings = settings_for(data)
    chosen = port or (READ_ONLY_PORT if read_only else PORT)
    if read_only:
        prepare_home(settings)
    else:
        register_store(settings, index)
    say(f"Dagster home {settings.dagster_home}; http://{LOOPBACK}:{chosen} (ctrl-C ends it)")
    os.chdir(instance_file().parent)
    words = server_command(chosen, read_only=read_only)
    os.execv(words[0], words)  # noqa: S606 - no shell


def server_command(port: int, *, read_only: bool) -> list[str]:
    """Return the program that serves the UI, and its arguments."""
    bin_of_python = Path(sys.executable).parent
    where = ["--host", LOOPBACK, "--port", str(port)]
    if read_only:
        program = str(bin_of_python / "dagster-webserver")
        return [program, "--read-only", *where, "--workspace", "workspace.yaml"]
    return [str(bin_of_python / "dg"), "dev", *where]

"""``cis490 ui``: Dagster's UI and daemon on loopback, over this data directory."""

import os
import sys
from pathlib import Path

import click

from cis490_pipeline.cli.options import data_option, index_option, settings_for
from cis490_pipeline.cli.output import say
from cis490_pipeline.orchestration.home import instance_file
from cis490_pipeline.orchestration.registration import register_store


@click.command("ui", help="Open Dagster's UI over the data directory, on loopback.")
@data_option
@index_option
@click.option("--port", default=3000, show_default=True, type=click.IntRange(1, 65535))
def command(data: Path | None, index: str, port: int) -> None:
    """Prepare Dagster's home, then become ``dg dev``."""
    settings = settings_for(data)
    register_store(settings, index)
    say(f"Dagster home {settings.dagster_home}; http://127.0.0.1:{port} (ctrl-C ends it)")
    os.chdir(instance_file().parent)
    dg = str(Path(sys.executable).with_name("dg"))
    os.execv(dg, [dg, "dev", "--host", "127.0.0.1", "--port", str(port)])  # noqa: S606 - no shell

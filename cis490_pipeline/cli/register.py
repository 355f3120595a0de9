"""``cis490 register``: the store's hosts and splits as partitions, in a prepared Dagster home."""

from pathlib import Path

import click

from cis490_pipeline.cli.options import data_option, index_option, settings_for
from cis490_pipeline.cli.output import emit_json, json_option
from cis490_pipeline.orchestration.registration import register_store


@click.command("register", help="Add the store's hosts and splits as Dagster partitions.")
@data_option
@index_option
@json_option
def command(data: Path | None, index: str, *, as_json: bool) -> None:
    """Register and say what is new."""
    settings = settings_for(data)
    registered = register_store(settings, index)
    click.echo(f"Dagster home: {settings.dagster_home}")
    click.echo(f"new hosts:    {', '.join(registered.new_hosts) or 'none'}")
    click.echo(f"new splits:   {', '.join(registered.new_splits) or 'none'}")
    emit_json(
        {
            "dagster_home": str(settings.dagster_home),
            "new_hosts": list(registered.new_hosts),
            "new_splits": list(registered.new_splits),
        },
        wanted=as_json,
    )

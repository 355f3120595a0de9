"""``cis490``: the table of contents of everything that can be done.

Exit status: 0 the command did its work, whatever it found in the data; 1 it could not; 2 usage.
"""

import importlib
import sys
from collections.abc import Mapping
from typing import Final

import click

from cis490_pipeline.errors import Cis490Error, ConfigurationError

_COMMANDS: Final[Mapping[str, str]] = {
    "smoke": "The smoke subset end to end through Dagster, on committed real episodes.",
    "synth": "Write a synthetic store with chosen damage.",
    "validate": "Judge every indexed episode of a store; writes a Parquet file.",
    "ingest": "Read new episodes into tables and shards, without Dagster.",
    "compact": "Merge small shards and table files; delete what nothing names any more.",
    "train": "Fit one model on a split's training set.",
    "evaluate": "Score a split's models on its test set.",
    "fit-arrays": "Fit any family on plain arrays and score it: public data sets, your own.",
    "predict": "Phases and alarm of one episode; with --onnx on the base install alone.",
    "export": "Write a bundle as one ONNX file for a device.",
    "explain": "Which channels a fitted model looks at, phase by phase.",
    "report": "Write a split's comparison report and cards.",
    "register": "Add the store's hosts and splits as Dagster partitions; prepare Dagster's home.",
    "ui": "Dagster's UI over the data directory, on loopback.",
    "receive": "Receive episodes over HTTP into a store; manage the tokens for it.",
    "ship": "Ship episodes to a receiver; safe to repeat.",
    "pull": "Mirror a receiver's store, for machines without shared storage.",
    "live": "The live hub: events of a store and its models on a page; manage producers' tokens.",
    "replay": "Play an episode to the live hub, as a device with a model would have seen it.",
    "capability": "What this machine can run; with --self-test whether it really does.",
    "jobs": "Check a manifest of training jobs for workers.",
}

_TRAIN: Final = "pip install 'cis490-pipeline[train]'; a device needs only `predict --onnx`"
_LIVE: Final = "pip install 'cis490-pipeline[live]'; shipping and pulling need only the base"
_LIVE_PACKAGES: Final = frozenset({"starlette", "uvicorn", "anyio", "h11"})


class _LazyGroup(click.Group):
    """Loads a command's module when it is called: ``--help`` imports nothing heavy."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"cis490_pipeline.cli.{cmd_name.replace('-', '_')}")
        return module.command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cis490-pipeline")
def cli() -> None:
    """From labelled episodes to honestly evaluated detectors of the infection phase."""


def main() -> None:
    """Run the command line; a fault of the machine ends it with a sentence, not a traceback."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ConfigurationError as error:
        click.echo(f"cis490: {error}", err=True)
        sys.exit(2)
    except Cis490Error as error:
        click.echo(f"cis490: {error}", err=True)
        sys.exit(1)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package == "cis490_pipeline":
            raise
        click.echo(
            f"cis490: {error.name} is not installed, and this command needs it"
            f" [do: {_LIVE if package in _LIVE_PACKAGES else _TRAIN}]",
            err=True,
        )
        sys.exit(1)

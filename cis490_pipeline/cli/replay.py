"""``cis490 replay``: one recorded episode, played to the live hub as a device would have seen it.

With ``--onnx`` the base install and what it brings are enough: no tables, no torch.
"""

import platform
import time
import uuid
from pathlib import Path

import click

from cis490_pipeline.cli.models import NamedModel, model_options, open_model
from cis490_pipeline.cli.options import data_option, settings_for
from cis490_pipeline.cli.output import emit_json, json_option, say
from cis490_pipeline.cli.resident import resident_bytes
from cis490_pipeline.cli.transfers import connection_options, token_of
from cis490_pipeline.edge.recording import read_recording
from cis490_pipeline.live.publisher import Counts, Publisher
from cis490_pipeline.live.replaying import Clock, Costs, Tape, Watching, perf, play
from cis490_pipeline.receiver.shipping import Parcel, parcels

_NAME_LENGTH = 8
_NAMELESS = "this machine"


@click.command("replay", help="Play HOST/EPISODE.tar.zst to the live hub, with a model watching.")
@click.argument("episode", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@model_options
@click.option("--to", "url", default="http://127.0.0.1:8491", show_default=True, help="The hub.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Times real time; 0 waits for nothing.",
)
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Seconds at the end for what the hub has not taken yet.",
)
@click.option("--host", default=None, help="Who recorded it; default: the file's directory.")
@connection_options
@data_option
@json_option
def command(
    episode: Path,
    url: str,
    speed: float,
    patience: float,
    host: str | None,
    *,
    plain_http: bool,
    as_json: bool,
    **paths: Path | None,
) -> None:
    """Open both, play, measure, and say what was sent."""
    (parcel,) = parcels([episode], host)
    model = open_model(
        paths["bundle"], paths["onnx_file"], settings_for(paths["data"]).data / "models"
    )
    if model.projection is None:
        say("the model has no plane of training windows: no embedding is told")
    tape, costs = _tape(parcel), Costs()
    with Publisher(url, token_of(paths["token_file"]), plain=plain_http) as publisher:
        _play(publisher, tape, model, Clock(speed=speed), costs)
        counts = publisher.close(timeout_s=patience)
    _tell(tape, costs, counts, as_json=as_json)
    if counts.delivered < counts.published:
        raise click.ClickException(f"{url} did not take everything: is it there, and the token?")


def _play(publisher: Publisher, tape: Tape, model: NamedModel, clock: Clock, costs: Costs) -> None:
    watching = Watching(
        header=model.header, bundle=model.bundle, start=model.start, projection=model.projection
    )
    for event in play(tape, watching, clock, costs):
        publisher.publish_event(event)
    measured = perf(
        watching,
        costs,
        machine=platform.node() or _NAMELESS,
        rss_bytes=resident_bytes(),
        size_bytes=model.size_bytes,
        at=time.time(),
    )
    publisher.publish_event(measured)


def _tell(tape: Tape, costs: Costs, counts: Counts, *, as_json: bool) -> None:
    sent = f"{counts.delivered} of {counts.published} events delivered"
    click.echo(f"{tape.host_id}/{tape.episode_id} as {tape.replay}: {sent}")
    emit_json(
        {
            "replay": tape.replay,
            "windows": len(costs.seconds),
            "published": counts.published,
            "delivered": counts.delivered,
            "refused": counts.refused,
            "dropped": counts.dropped,
        },
        wanted=as_json,
    )


def _tape(parcel: Parcel) -> Tape:
    tape = Tape(
        replay=uuid.uuid4().hex[:_NAME_LENGTH],
        episode_id=parcel.episode_id,
        host_id=parcel.host_id,
        recording=read_recording(parcel.path),
    )
    if not tape.recording.verdict.trains:
        status = tape.recording.verdict.status.value
        raise click.ClickException(f"{parcel.path}: the gate says {status}; see `cis490 predict`")
    return tape

"""``cis490 predict``: what a model says of one recorded episode, window by window.

With ``--onnx`` nothing beyond the base install is imported.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import numpy as np

from cis490_pipeline.cli.models import NamedModel, model_options, open_model
from cis490_pipeline.cli.options import data_option, settings_for
from cis490_pipeline.cli.output import emit_json, json_option, print_table
from cis490_pipeline.cli.resident import resident_bytes
from cis490_pipeline.edge.detector import WindowVerdict, strides
from cis490_pipeline.edge.header import BundleHeader
from cis490_pipeline.edge.recording import Recording, read_recording
from cis490_pipeline.schema.channels import N_CHANNELS
from cis490_pipeline.schema.phases import NOT_A_CLASS, PHASES
from cis490_pipeline.schema.windows import WINDOW_TICKS

_NO_SHARE: Final = "–"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Watched:
    """The verdicts on an episode, the alarm, and the seconds that each window took."""

    verdicts: tuple[WindowVerdict, ...]
    alarm_s: float | None
    seconds: tuple[float, ...]


@click.command("predict", help="Say phase and alarm of EPISODE.tar.zst, window by window.")
@click.argument("episode", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@model_options
@data_option
@json_option
def command(
    episode: Path,
    bundle: Path | None,
    onnx_file: Path | None,
    data: Path | None,
    *,
    as_json: bool,
) -> None:
    """Open model and episode, run the detector over it, print what it said."""
    model = open_model(bundle, onnx_file, settings_for(data).data / "models")
    recording = read_recording(episode)
    watched = _watch(model, recording)
    _tell_verdict(recording)
    _tell_windows(model.header, recording, watched)
    emit_json(_values(recording, watched), wanted=as_json)


def _watch(model: NamedModel, recording: Recording) -> _Watched:
    """Run a detector over the episode; a first window of nothing takes the start-up costs."""
    detector = model.start()
    if len(recording.x_TC) >= WINDOW_TICKS:
        nothing_TC = np.full((WINDOW_TICKS, N_CHANNELS), np.nan, dtype=np.float32)
        model.start().update(nothing_TC)
    verdicts: list[WindowVerdict] = []
    seconds: list[float] = []
    for new_TC in strides(recording.x_TC):
        started = time.perf_counter()
        verdicts.append(detector.update(new_TC))
        seconds.append(time.perf_counter() - started)
    return _Watched(verdicts=tuple(verdicts), alarm_s=detector.alarm_s, seconds=tuple(seconds))


def _tell_verdict(recording: Recording) -> None:
    verdict = recording.verdict
    reasons = [reason.render() for reason in (*verdict.reasons, *verdict.soft_reasons)]
    because = f": {', '.join(reasons)}" if reasons else ""
    click.echo(f"gate: {verdict.status.value}{because}")
    if not verdict.trains:
        click.echo("nothing is predicted: the pipeline does not use such an episode")


def _tell_windows(header: BundleHeader, recording: Recording, watched: _Watched) -> None:
    if not watched.verdicts:
        if recording.verdict.trains:
            click.echo("nothing is predicted: the episode is shorter than a window (10 s)")
        return
    rows = [_row(one, _label(recording, one.window)) for one in watched.verdicts]
    names = [f"{phase.value} " for phase in PHASES]
    title = f"{header.family}/{header.mode.value}/{header.context.value}"
    print_table(title, ["no. ", "at s ", *names, "says", "label", "alarm"], rows)
    click.echo(_alarm_text(header, watched.alarm_s))
    low, high = (1000 * float(np.quantile(watched.seconds, q)) for q in (0.5, 0.95))
    memory = resident_bytes()
    resident = "unknown" if memory is None else f"{memory / 1e6:.0f} MB"
    click.echo(f"a window takes {low:.2f} ms (p50), {high:.2f} ms (p95); RSS {resident}")


def _row(one: WindowVerdict, label: str | None) -> list[str]:
    shares = [f"{p:.2f}" for p in one.p_K]
    rings = "rings" if one.rings else ""
    return [
        str(one.window),
        f"{one.t_center_s:.0f}",
        *shares,
        one.phase.value,
        label or _NO_SHARE,
        rings,
    ]


def _label(recording: Recording, window: int) -> str | None:
    code = int(recording.phase_N[window])
    return None if code == NOT_A_CLASS else PHASES[code].value


def _alarm_text(header: BundleHeader, alarm_s: float | None) -> str:
    rule = header.alarm
    if rule.threshold is None:
        return f"alarm: this model has none: {rule.reason}"
    asked = f"{rule.policy.k} of {rule.policy.n} windows above {rule.threshold:.3f}"
    if alarm_s is None:
        return f"alarm: not raised ({asked})"
    return f"alarm: raised {alarm_s:.0f} s after the first label ({asked})"


def _values(recording: Recording, watched: _Watched) -> dict[str, object]:
    quantiles = (None, None)
    if watched.seconds:
        quantiles = tuple(1000 * float(np.quantile(watched.seconds, q)) for q in (0.5, 0.95))
    reasons = (*recording.verdict.reasons, *recording.verdict.soft_reasons)
    return {
        "status": recording.verdict.status.value,
        "reasons": [reason.render() for reason in reasons],
        "windows": [
            {
                "window": one.window,
                "t_center_s": one.t_center_s,
                "phase": one.phase.value,
                "label": _label(recording, one.window),
                "proba": {phase.value: float(p) for phase, p in zip(PHASES, one.p_K, strict=True)},
            }
            for one in watched.verdicts
        ],
        "alarm_s": watched.alarm_s,
        "latency_ms_p50": quantiles[0],
        "latency_ms_p95": quantiles[1],
        "rss_bytes": resident_bytes(),
    }

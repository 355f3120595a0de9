"""What a person sees of a fit: a bar that moves on a terminal, lines now and then elsewhere."""

import os
import re
import subprocess
import sys

from cis490_pipeline.cli.output import ProgressLine
from cis490_pipeline.cli.reporter import TerminalReporter
from cis490_pipeline.training.progress import EpochRecord, PartReporter

FIT = """
from cis490_pipeline.cli.output import ProgressLine
from cis490_pipeline.cli.reporter import TerminalReporter
from cis490_pipeline.training.progress import EpochRecord
with ProgressLine("fit cnn") as progress:
    reporter = TerminalReporter(progress)
    for epoch in (1, 2, 3):
        reporter.epoch(
            EpochRecord(step=epoch, epoch=epoch, train_loss=0.5, id_val_macro_f1=0.25, lr=0.1,
                        most_epochs=8)
        )
        progress._bar.refresh()
"""


def _on_a_terminal(code: str) -> str:
    ours, theirs = os.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"}
    subprocess.run([sys.executable, "-c", code], stderr=theirs, stdout=theirs, env=env, check=True)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # nobody writes any more
            break
        if not part:
            break
        shown += part
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode("utf-8", "replace"))


def test_a_terminal_shows_a_bar_that_counts_epochs() -> None:
    shown = _on_a_terminal(FIT)
    for epoch in (1, 2, 3):
        assert f"fit cnn: epoch {epoch}: loss 0.5000, id_val macro F1 0.250" in shown
        assert f"{epoch}/8" in shown


def test_elsewhere_there_is_a_line_every_few_seconds(capsys) -> None:
    clock = iter([0.0, 1.0, 6.0, 6.0, 8.0])
    reporter = TerminalReporter(ProgressLine("fit bert", clock=lambda: next(clock)))
    part = PartReporter(reporter, "combination 2 of 4")
    for epoch in (1, 2, 3):
        record = EpochRecord(
            step=epoch,
            epoch=epoch,
            train_loss=0.5,
            id_val_macro_f1=None,
            lr=0.1,
            most_epochs=3,
            part="pre-training",
        )
        part.epoch(record)
    assert capsys.readouterr().err.splitlines() == [
        "fit bert: combination 2 of 4, pre-training, epoch 2: loss 0.5000, id_val macro F1 –"
    ]

"""The page of a split without a test set: what was fitted, and whose claim it leans on.

Not here: pages of splits that were tested (``html``, ``markdown``).
"""

from collections.abc import Sequence

from cis490_pipeline.models.current import FittedModel
from cis490_pipeline.reporting.text import (
    html_text,
    markdown_table,
    markdown_text,
    number_or_dash,
)

_HEAD = ("family", "mode", "context", "seed", "bundle", "id_val macro F1")
_WHY = (
    "These bundles are the ones to ship. Nothing was held out, so nothing here says how well they "
    "do on a device never seen; the leave-one-host-out reports below are the only evidence."
)
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color-scheme:light dark}table{border-collapse:collapse}td,th{padding:.3rem .8rem;"
    "text-align:left;border-bottom:1px solid #8886}"
)


def untested_markdown(
    sentence: str, fitted: Sequence[FittedModel], claims: Sequence[tuple[str, str]]
) -> str:
    """Return the page as Markdown; ``claims`` are (split, headline) of tested splits."""
    lines = [f"# {markdown_text(sentence)}", "", _WHY, ""]
    lines += markdown_table(_HEAD, [_row(model) for model in fitted])
    lines += ["", "## Evidence from other splits", ""]
    lines += [f"- **{markdown_text(name)}**: {markdown_text(text)}" for name, text in claims]
    return "\n".join(lines if claims else [*lines, "None yet."]) + "\n"


def untested_html(
    sentence: str, fitted: Sequence[FittedModel], claims: Sequence[tuple[str, str]]
) -> str:
    """Return the same as one self-contained page."""
    head = "".join(f"<th>{html_text(name)}</th>" for name in _HEAD)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html_text(cell)}</td>" for cell in _row(model)) + "</tr>"
        for model in fitted
    )
    quoted = "".join(f"<li><b>{html_text(n)}</b>: {html_text(t)}</li>" for n, t in claims)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html_text(sentence)}</title><style>{_STYLE}</style>"
        f"<h1>{html_text(sentence)}</h1><p>{_WHY}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"<h2>Evidence from other splits</h2><ul>{quoted or '<li>None yet.</li>'}</ul></html>"
    )


def _row(model: FittedModel) -> tuple[str, ...]:
    return (
        model.family,
        model.mode,
        model.context,
        str(model.seed),
        model.bundle[:12],
        number_or_dash(model.id_val_macro_f1),
    )

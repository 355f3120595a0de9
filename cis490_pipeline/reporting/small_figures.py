"""A report's key figures as Markdown images, for places that show Markdown and no page.

Each is a picture that stands alone, inside the text as a data URI. Dagster's page of an asset shows
those of Markdown (1.13, seen in a browser) and takes out ``<img>`` and ``<svg>``.

Not here: the figures (``figures``, ``curves``).
"""

import base64
from typing import Final

from markupsafe import Markup

from cis490_pipeline.reporting.curve_svg import curve_plot
from cis490_pipeline.reporting.curves import clock_of, detection_curve
from cis490_pipeline.reporting.figures import forest_rows
from cis490_pipeline.reporting.report import Report
from cis490_pipeline.reporting.svg import forest_plot
from cis490_pipeline.reporting.text import markdown_text

_WIDTH: Final = 520
_STYLE: Final = """
svg{--ink:#1b1f24;--soft:#5c6570;--panel:#fff;--line:#e2e4e0;--grid:#d8dbd6;
font-family:system-ui,sans-serif;overflow:visible}
@media (prefers-color-scheme:dark){svg{--ink:#e8eaec;--soft:#9aa4af;--panel:#1b1f24;--line:#2d333b;
--grid:#363d46}}
.whole{background:var(--panel)}text{fill:var(--ink);font-size:13px}.name{font-weight:600}
.note,.tick,.axis{fill:var(--soft);font-size:12px}.grid{stroke:var(--grid)}.track{stroke:var(--line)}
.reference{stroke:var(--soft);stroke-width:1.5;stroke-dasharray:4 4}
.ci{stroke-width:4;stroke-linecap:round;stroke-opacity:.75}.open,.seed{fill:var(--panel)}
.band{fill:var(--tone);opacity:.14}.course{fill:none;stroke:var(--tone);stroke-width:2;
vector-effect:non-scaling-stroke}.control{stroke:var(--soft);stroke-dasharray:4 4}
.missed{stroke:var(--soft);stroke-dasharray:2 3}
"""


def small_figures(report: Report) -> tuple[tuple[str, str], ...]:
    """Return (name, Markdown) of each: macro F1 beside the controls, and time to detect."""
    rows = forest_rows(report, report.shown())
    caption = f"{report.comparison.split}: macro F1 on the test set"
    found = [("macro_f1", _image(forest_plot(rows, reference=None, caption=caption), caption))]
    key = report.chosen
    detection = None if key is None else report.evaluation(key).measures.detection.found
    if key is not None and detection is not None and detection.curve:
        caption = f"{report.comparison.split}: time to detect of {report.name(key)}"
        curve = detection_curve(detection, report.evaluation(key), clock_of(report))
        found.append(("time_to_detect", _image(curve_plot(curve, caption=caption), caption)))
    return tuple(found)


def _image(drawing: Markup, caption: str) -> str:
    encoded = base64.b64encode(standing_alone(drawing)).decode()
    return f"![{markdown_text(caption)}](data:image/svg+xml;base64,{encoded})"


def standing_alone(drawing: Markup) -> bytes:
    """Return a drawing of a page as a file of its own, with the few rules that it needs."""
    opening, _, rest = str(drawing).partition(">")
    own = opening.replace('width="100%"', f'xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}"')
    own = own.replace('class="', 'class="whole ')
    return f"{own}><style>{_STYLE}</style>{rest}\n".encode()

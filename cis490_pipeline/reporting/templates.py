"""Pages out of templates: everything from the data is escaped, nothing comes from elsewhere.

A page extends ``page.html.j2``, which brings the head, the style sheet, the one script and its
hash; its body is divided into sections by ``frame``. A part of a page is a template of its own.

Not here: what a page says (``html``, ``data_page``), what is around it (``frame``).
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from cis490_pipeline.reporting.frame import sectioned
from cis490_pipeline.reporting.text import visible

_PACKAGE: Final = "cis490_pipeline.reporting"


def render_page(
    name: str, context: Mapping[str, object], filters: Mapping[str, Callable[..., object]]
) -> str:
    """Render a template of this package; ``css`` in it is the style sheet of all pages."""
    environment = Environment(
        autoescape=True,
        loader=FunctionLoader(_resource),
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({**filters, "sectioned": sectioned})
    script = _resource("report.js").strip()
    own = {
        "css": Markup(_resource("report.css")),  # noqa: S704 - our own file
        "script": Markup(script),  # noqa: S704 - our own file
        "policy": content_policy(script),
    }
    return environment.get_template(name).render({**context, **own})


def content_policy(script: str) -> str:
    """Return what a page allows itself: its own styles, this one script, nothing from elsewhere."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _resource(name: str) -> str:
    return files(_PACKAGE).joinpath(name).read_text(encoding="utf-8")


def _finalize(value: object) -> object:
    """Replace characters that could hide or reorder what a reader sees; escaping comes after."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value

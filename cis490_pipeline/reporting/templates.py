"""Pages out of templates: everything from the data is escaped, nothing comes from elsewhere.

Not here: what a page says (``html``, ``data_page``).
"""

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Final

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from cis490_pipeline.reporting.text import visible

_PACKAGE: Final = "cis490_pipeline.reporting"


def render_page(
    name: str, context: Mapping[str, object], filters: Mapping[str, Callable[..., object]]
) -> str:
    """Render a template of this package; ``css`` in it is the style sheet of all pages."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    css = Markup(_resource("report.css"))  # noqa: S704 - our own file
    return environment.from_string(_resource(name)).render({**context, "css": css})


def _resource(name: str) -> str:
    return files(_PACKAGE).joinpath(name).read_text(encoding="utf-8")


def _finalize(value: object) -> object:
    """Replace characters that could hide or reorder what a reader sees; escaping comes after."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value

"""Write the heat maps of a split's explanations beside their JSON.

Not here: the figures and the JSON (``explain``), the report that shows them (``publish``).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cis490_pipeline.explain.on_split import ExplainedModel
from cis490_pipeline.explain.records import path_of
from cis490_pipeline.reporting.explained import explanation_lines, key_of
from cis490_pipeline.reporting.heat_map import heat_map_file
from cis490_pipeline.reporting.text import markdown_text
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.layout import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedExplanation:
    """Where one explanation is."""

    model: str
    json: Path
    svg: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedExplanations:
    """Where a split's explanations are; ``content_hash`` covers all their figures."""

    each: tuple[PublishedExplanation, ...]
    markdown: str
    content_hash: str


def publish_explanations(layout: Layout, models: Sequence[ExplainedModel]) -> PublishedExplanations:
    """Write one heat map for each explained model; its JSON stands already."""
    digest = hashlib.sha256()
    each: list[PublishedExplanation] = []
    lines: list[str] = []
    for one in models:
        name, path = key_of(one.explanation).label, path_of(layout, one.fitted)
        caption = f"{one.explanation.split}: attributions of {name}, channel × phase"
        write_bytes(path.with_suffix(".svg"), heat_map_file(one.explanation, caption=caption))
        digest.update(msgspec.json.encode(one.explanation))
        each.append(PublishedExplanation(model=name, json=path, svg=path.with_suffix(".svg")))
        lines += [f"### {markdown_text(name)}", "", *explanation_lines(one.explanation), ""]
    return PublishedExplanations(
        each=tuple(each), markdown="\n".join(lines), content_hash=digest.hexdigest()
    )

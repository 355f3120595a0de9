"""The report of a split as one self-contained HTML page.

One script of our own sorts tables and offers them as CSV; everything can be read without it. No
network, no font from elsewhere, no other script: a content security policy in the page forbids
them.

Not here: figures (``figures``, ``svg``), the head (``first_screen``), the layout itself
(``report.html.j2``, ``report.css``).
"""

from cis490_pipeline.evaluation.headline import headline
from cis490_pipeline.evaluation.keys import FamilyRole
from cis490_pipeline.evaluation.scores import Coverage
from cis490_pipeline.reporting import text
from cis490_pipeline.reporting.controls import control_tables
from cis490_pipeline.reporting.drift import drift_section
from cis490_pipeline.reporting.explained import explained_section
from cis490_pipeline.reporting.figures import difference_tracks, forest_figure, matrix_figure
from cis490_pipeline.reporting.first_screen import first_screen
from cis490_pipeline.reporting.host_profile_table import host_profile_html
from cis490_pipeline.reporting.interval_section import interval_html
from cis490_pipeline.reporting.measures import measures_section
from cis490_pipeline.reporting.p_notes import p_notes
from cis490_pipeline.reporting.palette import family_colour
from cis490_pipeline.reporting.plain_tables import tables_section
from cis490_pipeline.reporting.report import LEDGER_LINES, Report, host_rows, profile_rows
from cis490_pipeline.reporting.split_quality import quality_html
from cis490_pipeline.reporting.templates import render_page


def render_html(report: Report) -> str:
    """Return the page."""
    filters = {
        "number": text.number,
        "figure": text.number_or_dash,
        "bounds": text.bounds,
        "scored": text.scored,
        "signed": text.signed_number,
        "p": text.p_value,
        "colour": family_colour,
        "breakable": text.breakable,
    }
    return render_page("report.html.j2", _context(report), filters)


def _context(report: Report) -> dict[str, object]:
    comparison = report.comparison
    shown = {one.key for one in report.shown()}
    matrices = [(one, matrix_figure(report, one.key)) for one in report.configurations()]
    return {
        "report": report,
        "comparison": comparison,
        "scope": comparison.scope,
        "headline": headline(comparison),
        "first": first_screen(report),
        "forest": forest_figure(report),
        "matrices": [(one, drawn) for one, drawn in matrices if one.key in shown],
        "other_matrices": [(one, drawn) for one, drawn in matrices if one.key not in shown],
        "p_notes": p_notes(report),
        "tracks": difference_tracks(comparison.differences),
        "profiles": profile_rows(report),
        "hosts": host_rows(report),
        "cells": host_profile_html(report),
        "quality": quality_html(report.quality),
        "ledger": report.ledger[-LEDGER_LINES:],
        "measures": measures_section(report),
        "intervals": interval_html(report),
        "drift": drift_section(report.drift),
        "controls": tables_section(control_tables(report)),
        "explained": explained_section(report),
        "Coverage": Coverage,
        "FamilyRole": FamilyRole,
    }

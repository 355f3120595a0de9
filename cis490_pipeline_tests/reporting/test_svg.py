"""Figures: well-formed, positions where the numbers are, escaped names."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.evaluation.interval import Interval
from cis490_pipeline.reporting.palette import (
    FAMILY_COLOURS,
    PHASE_COLOURS,
    STATUS_COLOURS,
    family_colour,
)
from cis490_pipeline.reporting.svg import (
    ForestRow,
    confusion_matrix,
    difference_track,
    forest_plot,
)


def _interval(point, low=None, high=None):
    return Interval(
        point=point,
        low=low,
        high=high,
        level=0.95,
        n_hosts=1,
        n_samples=1,
        n_episodes=9,
        n_windows=90,
        condition="",
    )


def _row(interval, name="gbt/realistic"):
    return ForestRow(name=name, note="simple", interval=interval, colour="#3a7fd5")


def test_forest_puts_points_and_intervals_on_the_unit_axis():
    plot = ET.fromstring(
        forest_plot([_row(_interval(0.5, 0.25, 1.0))], reference=0.0, caption="macro F1")
    )
    circle = plot.find("circle")
    bar = plot.find("line[@class='ci']")
    assert circle.get("cx") == "50.00%"
    assert (bar.get("x1"), bar.get("x2")) == ("25.50%", "99.00%")
    assert plot.find("line[@class='reference']").get("x1") == "1.00%"
    assert "0.50 [0.25, 1.00]" in "".join(plot.itertext())


def test_point_without_interval_is_open_and_untested_has_no_mark():
    plot = ET.fromstring(
        forest_plot([_row(_interval(0.5)), _row(_interval(None))], reference=None, caption="x")
    )
    circles = plot.findall("circle")
    assert [one.get("class") for one in circles] == ["open"]
    assert plot.find("line[@class='ci']") is None
    assert "untested" in "".join(plot.itertext())


def test_difference_has_zero_in_the_middle():
    track = ET.fromstring(difference_track(_interval(0.0, -0.2, 0.2), reach=0.2, colour="#3a7fd5"))
    assert (
        track.find("circle").get("cx") == track.find("line[@class='zero']").get("x1")[:-1] + ".00%"
    )


def test_confusion_is_shaded_by_row_and_hatches_a_row_without_support():
    matrix = ET.fromstring(
        confusion_matrix(["a", "b"], [[3, 1], [0, 0]], colour="#d0672a", caption="x")
    )
    shades = [one.get("fill-opacity") for one in matrix.iter("rect") if one.get("fill-opacity")]
    assert shades == ["0.750", "0.250"]
    assert len([one for one in matrix.iter("rect") if one.get("class") == "hatched"]) == 1
    assert "untested" in "".join(matrix.itertext())


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30))
def test_any_name_keeps_the_figures_well_formed(name):
    for figure in (
        forest_plot([_row(_interval(0.5), name)], reference=None, caption=name),
        confusion_matrix([name, "b"], [[1, 2], [0, 0]], colour="#d0672a", caption=name),
    ):
        tree = ET.fromstring(figure)
        assert {one.tag for one in tree.iter()} <= {
            *("svg", "title", "line", "text", "tspan", "circle", "rect", "g"),
        }


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("page", ["#ffffff", "#1b1f24"], ids=["light", "dark"])
def test_colours_stand_out_on_both_pages_and_differ(page):
    for family, colour in {**FAMILY_COLOURS, **STATUS_COLOURS, **PHASE_COLOURS}.items():
        lighter, darker = sorted([_luminance(colour), _luminance(page)], reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 3.0, family
    for colours in (FAMILY_COLOURS, STATUS_COLOURS, PHASE_COLOURS):
        assert len(set(colours.values())) == len(colours)
    assert family_colour("never heard of") not in FAMILY_COLOURS.values()

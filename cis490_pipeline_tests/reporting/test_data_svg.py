"""Figures of the data card: well-formed, as long as the numbers say, escaped names."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.reporting.data_svg import (
    LengthRow,
    Part,
    axis_ticks,
    length_plot,
    stacked_bar,
    time_bars,
)


def part(value: float, name: str = "x") -> Part:
    return Part(name=name, value=value, colour="#2e9468")


def percent(rect: ET.Element, name: str) -> float:
    return float(rect.get(name, "").removesuffix("%"))


def test_parts_stand_side_by_side_in_proportion_to_the_whole() -> None:
    bar = ET.fromstring(stacked_bar([part(3), part(0), part(1)], whole=8, height=6, caption="c"))
    rects = list(bar.iter("rect"))
    assert [(percent(r, "x"), percent(r, "width")) for r in rects] == [(0, 37.5), (37.5, 12.5)]
    assert bar.findtext("title") == "c"
    empty = ET.fromstring(stacked_bar([part(0)], whole=0, height=6, caption="c"))
    assert list(empty.iter("rect")) == []


def test_columns_are_stacked_from_the_ground_up() -> None:
    plot = ET.fromstring(time_bars([[part(2), part(2)], [part(1)]], most=4, caption="c"))
    low, high, other = list(plot.iter("rect"))
    bottom = float(plot.find("line").get("y1"))
    assert float(low.get("y")) + float(low.get("height")) == pytest.approx(bottom)
    assert float(high.get("y")) + float(high.get("height")) == pytest.approx(float(low.get("y")))
    assert float(other.get("height")) == pytest.approx(float(low.get("height")) / 2)
    assert percent(other, "x") > percent(low, "x") + percent(low, "width")


def test_lengths_stand_on_an_axis_that_begins_at_zero() -> None:
    row = LengthRow(name="lab-a", quartiles=(50.0, 75.0, 100.0, 125.0, 200.0))
    plot = ET.fromstring(length_plot([row], caption="c"))
    assert plot.find("circle").get("cx") == "50.00%"
    whisker = plot.find("line[@class='whisker']")
    assert (whisker.get("x1"), whisker.get("x2")) == ("25.50%", "99.00%")
    assert "median 100 s, 50 to 200 s" in "".join(plot.itertext())


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.floats(min_value=1e-6, max_value=1e9))
def test_an_axis_has_few_ticks_and_holds_the_largest_value(largest: float) -> None:
    ticks = axis_ticks(largest)
    assert 3 <= len(ticks) <= 6
    assert ticks[0] == 0.0
    assert ticks[-1] >= largest * (1 - 1e-9)
    assert ticks[-2] < largest


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(max_size=30))
def test_any_name_keeps_the_figures_well_formed(name: str) -> None:
    row = LengthRow(name=name, quartiles=(1.0, 2.0, 3.0, 4.0, 5.0))
    for figure in (
        stacked_bar([part(1, name)], whole=1, height=6, caption=name),
        time_bars([[part(1, name)]], most=1, caption=name),
        length_plot([row], caption=name),
    ):
        tags = {one.tag for one in ET.fromstring(figure).iter()}
        assert tags <= {"svg", "title", "rect", "line", "text", "circle"}

"""Curves: drawn where the JSON says, numbers below them, and what was missed is missing."""

import base64
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from cis490_pipeline.reporting.curve_svg import At, Curve, Mark, curve_plot
from cis490_pipeline.reporting.curves import curve_figures, detection_panel
from cis490_pipeline.reporting.figure_cells import ends, figure, interval_cell
from cis490_pipeline.reporting.html import render_html
from cis490_pipeline.reporting.published import COMPARISON, published_comparison, published_json
from cis490_pipeline.reporting.small_figures import small_figures
from cis490_pipeline_tests.reporting.made_up_reports import Page
from cis490_pipeline_tests.reporting.test_measures import GBT, report_of

TITLES = ("Time to detect", "Calibration", "Risk over coverage")


@pytest.fixture(scope="module")
def report():
    return report_of()


@pytest.fixture(scope="module")
def figures(report):
    written = json.loads(published_json(COMPARISON, published_comparison(report)))
    return next(one for one in written["measures"] if one["key"]["family"] == "gbt")


def panel_of(report, title, name="gbt/realistic"):
    return next(one for one in curve_figures(report)[title].panels if one.name == name)


def rows_of(report, title):
    return [
        [cell.strip() for cell in row] for row in Page(str(panel_of(report, title).drawing)).rows
    ]


def course_of(drawing):
    (points,) = re.findall(r'<polyline class="course" points="([^"]+)"', str(drawing))
    return [tuple(map(float, one.split(","))) for one in points.split()]


def test_the_detection_curve_is_that_of_the_json_and_ends_at_the_share_that_was_found(
    report, figures
):
    found = figures["measures"]["detection"]["found"]
    head, *rows = rows_of(report, "Time to detect")
    assert head[:2] == ["seconds after onset", "share detected"]
    for row, point in zip(rows, found["curve"], strict=True):
        share = figure(point["n_detected"] / found["n_infected"])
        estimate = f"{figure(point['detected'])} {ends(point['low'], point['high'])}".rstrip()
        counts = [str(point["n_detected"]), str(point["n_at_risk"])]
        assert row == [f"{point['t_s']:g}", share, *counts, estimate]
    course = course_of(panel_of(report, "Time to detect").drawing)
    assert course[-1][1] == pytest.approx(
        100 * (1 - found["n_detected"] / found["n_infected"]), abs=0.01
    )
    assert len(course) == 2 * len(rows) - 1, "a corner at every step"


def test_an_estimate_of_1_hides_no_episode_that_was_missed(report):
    one = report.evaluation(GBT)
    found = one.measures.detection.found
    curve = tuple(replace(point, detected=1.0, n_detected=2) for point in found.curve)
    few = replace(found, n_infected=8, n_detected=2, curve=curve, horizon_s=curve[1].t_s)
    detection = replace(one.measures.detection, found=few)
    censored = replace(one, measures=replace(one.measures, detection=detection))
    panel = detection_panel("gbt", censored, None)
    assert panel.note.startswith("6 of 8 infected episodes not detected. Alarm budget 5%")
    assert "0.75 not detected" in str(panel.drawing)
    assert {y for _, y in course_of(panel.drawing)} == {75.0}
    (band,) = re.findall(r'class="band" points="([^"]+)"', str(panel.drawing))
    assert len(band.split()) == 6, "two steps wide: where half were watched it ends"


def test_reliability_and_risk_are_those_of_the_json(report, figures):
    bins = figures["measures"]["calibration"]["bins"]
    _, *rows = rows_of(report, "Calibration")
    for row, one in zip(rows, bins, strict=True):
        assert row[2:4] == [str(one["n_windows"]), str(one["n_episodes"])]
        told = "untested"
        if one["accuracy"] is not None:
            told = f"{figure(one['accuracy'])} {ends(one['accuracy_low'], one['accuracy_high'])}"
        assert row[5] == told.rstrip()
    drawing = str(panel_of(report, "Calibration").drawing)
    assert drawing.count('class="dot-of') == sum(one["accuracy"] is not None for one in bins)
    assert drawing.count('class="amount"') == len(bins)
    risks = figures["selective"]["risk_coverage"]["points"]
    _, *rows = rows_of(report, "Risk over coverage")
    model = report.evaluation(GBT).selective.risk_coverage
    for row, one, own in zip(rows, risks, model.points, strict=False):
        assert row[:2] == [f"{one['coverage']:.3f}", f"probability from {one['threshold']:.3f}"]
        assert row[2] == interval_cell(own.error).whole
    course = course_of(panel_of(report, "Risk over coverage").drawing)
    assert [y for _, y in course] == pytest.approx(
        [100 * (1 - one["error"]["point"]) for one in risks], abs=0.01
    )


def test_a_model_without_a_curve_says_why_and_every_figure_has_words(report):
    silent = report_of(thresholds=(None, 0.5))
    panel = panel_of(silent, "Time to detect")
    assert panel.drawing is None
    assert panel.note == "untested: the bundle has no alarm: id_val is empty"
    assert panel.note in Page(render_html(silent)).texts
    for title in TITLES:
        drawing = str(panel_of(report, title).drawing)
        (told,) = re.findall(r'<svg class="curve"[^>]*><title>([^<]+)</title>', drawing)
        assert "gbt/realistic" in told


def test_conformal_levels_are_marked_and_names_are_text():
    curve = Curve(
        x_ticks=(0.0, 0.5, 1.0),
        x_name="<x>",
        y_name="<y>",
        colour="#123456",
        points=(At(x=0.0, y=0.0), At(x=0.5, y=0.5, low=0.4, high=0.6), At(x=1.0, y=0.5)),
        marks=(Mark(x=0.9, y=0.2, name="<b>"), Mark(x=0.1, y=0.2, name="α 0.1")),
    )
    drawing = str(curve_plot(curve, caption="</title><script>"))
    tags = set(Page(drawing).tags)
    assert not {"b", "script", "x", "y"} & tags
    assert drawing.count('class="diamond"') == 2
    assert 'text-anchor="end">&lt;b&gt;' in drawing, "there is no room to the right"


def test_small_figures_are_pictures_that_stand_alone(report):
    images = dict(small_figures(report))
    assert set(images) == {"macro_f1", "time_to_detect"}
    for text in images.values():
        found = re.fullmatch(r"!\[[^\]]+\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", text)
        assert found is not None
        drawing = base64.b64decode(found[1])
        root = ET.fromstring(drawing)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.get("width") == "520"
        assert len(drawing) < 20_000
    assert f"{report.comparison.macro_f1_of(GBT).point:.2f} [".encode() in base64.b64decode(
        images["macro_f1"].partition("base64,")[2].rstrip(")")
    )

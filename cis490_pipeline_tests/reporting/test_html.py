"""The page: well-formed, self-contained, equal to the JSON, and safe with hostile names."""

import base64
import hashlib
import re
from dataclasses import replace

import msgspec
import pytest

from cis490_pipeline.errors import EvaluationError
from cis490_pipeline.evaluation.comparison import Verdict, comparison_to_json
from cis490_pipeline.evaluation.headline import headline
from cis490_pipeline.evaluation.scores import evaluation_to_json
from cis490_pipeline.reporting.html import render_html
from cis490_pipeline.reporting.markdown import render_markdown
from cis490_pipeline.reporting.methods import METHODS
from cis490_pipeline.reporting.report import LedgerEntry, Report
from cis490_pipeline.reporting.text import html_text
from cis490_pipeline_tests.evaluation.made_up import key_of, rows, split_table
from cis490_pipeline_tests.reporting.large_reports import large_report
from cis490_pipeline_tests.reporting.made_up_reports import (
    GBT,
    SKILLS,
    TIME,
    Page,
    plain_report,
    report_of,
)


@pytest.fixture(scope="module")
def report():
    return plain_report()


@pytest.fixture(scope="module")
def html(report):
    return render_html(report)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_page_is_balanced_and_has_each_section(page):
    assert page.tags.count("html") == page.tags.count("body") == page.tags.count("main") == 1
    for title in ("Models", "Paired differences", "Confusion", "Profiles", "Hosts"):
        assert title in page.texts


def test_page_needs_nothing_from_elsewhere(html, page):
    assert not re.search(r"https?:|//[a-z]|@import|javascript:", html)
    assert not {"link", "img", "iframe", "object", "base"} & set(page.tags)
    assert not [one for one in page.attributes if one[1] in {"src", "srcset", "action"}]
    links = {value for _, name, value in page.attributes if name == "href"}
    assert {link for link in links if not link.startswith("#")} == {"../index.html"}
    assert set(re.findall(r"url\([^)]*\)", html)) == {"url(#hatch)"}


def test_the_policy_of_the_page_allows_its_one_script_and_no_other(html, page):
    (script,) = re.findall(r'<script type="module">(.*?)</script>', html, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = (one[2] for one in page.attributes if one[2].startswith("default-src"))
    assert policy.split("; ")[:3] == [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        f"script-src 'sha256-{digest}'",
    ]
    assert not [one for one in page.attributes if one[1].startswith("on")]


def test_every_section_is_listed_once_and_can_be_reached(html, page):
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    listed = re.findall(r'<li><a href="#([^"]+)">([^<]+)</a></li>', html)
    titles = re.findall(r'<h2 id="([^"]+)-title">([^<]+)</h2>', html)
    assert listed == titles
    assert {"models", "confusion", "readings-of-this-test-set"} <= {place for place, _ in listed}


def test_how_it_was_computed_is_one_click_away_in_its_own_section(html):
    sections = re.findall(r'<section id="([^"]+)".*?</section>', html, flags=re.DOTALL)
    parts = dict(
        zip(
            sections,
            re.findall(r"<section id=.*?</section>", html, flags=re.DOTALL),
            strict=True,
        )
    )
    for title, method in METHODS["report"].items():
        place = title.lower().replace(" ", "-")
        if place in parts:
            assert str(html_text(method)) in parts[place]
    missing = {title for title in METHODS["report"] if title.lower().replace(" ", "-") not in parts}
    assert missing == {"Seeds"}, "a section that this report has no reason to show"


def test_page_adapts_to_phone_dark_and_print(html):
    assert 'content="width=device-width, initial-scale=1"' in html
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html


def test_transductive_figures_are_flagged_in_page_and_markdown():
    key = replace(GBT, context="transductive")
    table = split_table({**SKILLS, key: (0.95, 0.9)})
    report = report_of(table, [*SKILLS, key])
    page = Page(render_html(report))
    flag = "gbt/realistic/transductive: transductive: uses all of the test host's unlabelled"
    assert any(text.startswith(flag) for text in page.texts)
    tag = '<span class="tag">transductive</span>'
    assert render_html(report).count(tag) == 1, "beside its name in the table"
    markdown = render_markdown(report).replace("\\", "")
    assert flag in markdown
    assert "| gbt/realistic/transductive | simple, transductive |" in markdown


def test_headline_comes_first_and_is_that_of_the_comparison(report, html):
    text = headline(report.comparison)
    assert text in " ".join(Page(html).texts)
    assert html.index("trained on lab-a") < html.index("<h2 ")


def test_numbers_on_the_page_equal_the_json(report, page):
    comparison = msgspec.json.decode(comparison_to_json(report.comparison))
    for model in comparison["models"]:
        key = next(one.key for one in report.evaluations if one.bundle == model["bundle"])
        evaluation = msgspec.json.decode(evaluation_to_json(report.evaluation(key)))
        row = next(one for one in page.row(report.name(key)) if len(one) == 10)
        test = model["macro_f1"]
        assert row[1] == f"{test['point']:.2f}[{test['low']:.2f}, {test['high']:.2f}]"
        assert row[2] == f"{model['id_val_macro_f1']:.2f}"
        assert row[5:9] == [
            f"{evaluation[name]:.3f}" for name in ("accuracy", "brier", "ece", "log_loss")
        ]
    found = [row for row in page.rows if row[4:5] and row[4] in set(Verdict)]
    for row, one in zip(found, comparison["differences"], strict=True):
        gap = one["difference"]
        assert row[2] == f"{gap['point']:+.2f}[{gap['low']:+.2f}, {gap['high']:+.2f}]"


def test_counts_of_every_confusion_matrix_are_on_the_page(report, html):
    matrices = {
        matrix.partition("confusion matrix of ")[2].partition("<")[0]: matrix
        for matrix in re.findall(r'<svg class="confusion".*?</svg>', html, flags=re.DOTALL)
    }
    assert len(matrices) == len(SKILLS)
    for model in report.ranked():
        matrix = matrices[report.name(model.key)]
        counts = [int(one) for one in re.findall(r'class="count \w+"[^>]*>(\d+)<', matrix)]
        rows_with_support = [row for row in report.evaluation(model.key).confusion if sum(row)]
        assert counts == [count for row in rows_with_support for count in row]


def test_untested_profile_and_phase_are_shown_as_untested_and_never_as_a_score(page, html):
    for title, name in (("profiles", "scan-and-dial"), ("phases", "armed")):
        (section,) = re.findall(rf'<section id="{title}".*?</section>', html, flags=re.DOTALL)
        head, *rows = Page(section).rows
        place = next(i for i, cell in enumerate(head) if cell.startswith(name))
        assert head[place] == f"{name}untested:not in the test set"
        assert [row[place] for row in rows] == ["untested"] * len(SKILLS)
    assert html.count('class="hatched"') == len(SKILLS)


def test_models_stand_in_the_order_of_id_val(report, page):
    scores = [one.id_val_macro_f1 for one in report.ranked()]
    assert scores == sorted(scores, reverse=True)
    names = [row[0] for row in page.rows if len(row) == 10][1:]
    for name, one in zip(names, report.ranked(), strict=True):
        assert name.startswith(f"{report.name(one.key)}{one.role.value}")


def test_ledger_quotes_the_last_readings_and_counts_all(page):
    text = " ".join(page.texts)
    assert "15 readings so far, the last 12 below" in text
    assert not page.row("2026-11-03")
    assert page.row("2026-11-15")


def test_banner_says_that_no_model_beats_the_clock(html):
    assert "banner" not in html.split("</style>")[1]
    losing = report_of(split_table({GBT: (0.8, 0.2), TIME: (0.4, 0.7)}), [GBT, TIME])
    assert 'class="banner">No learned model beats elapsed_time' in render_html(losing)


def test_no_baseline_no_pair_and_one_episode_still_give_a_page():
    table = rows(GBT, skill=0.6, n_episodes=1, n_windows=10)
    report = report_of(table, [GBT], ledger=())
    text = " ".join(Page(render_html(report)).texts)
    assert "There is no pair to compare" in text
    assert "no interval" in text
    assert "no interval" in render_markdown(report)


def test_seeds_are_told_apart_and_summarised():
    keys = [key_of("cnn", seed=seed) for seed in (0, 1, 2)]
    report = report_of(split_table(dict.fromkeys(keys, (0.5, 0.5))), keys)
    page = Page(render_html(report))
    assert page.row("cnn/realistic seed 2")
    assert page.row("cnn/realistic/none")[0][1] == "3"
    (line,) = (one for one in render_markdown(report).splitlines() if "| 0, 1, 2 |" in one)
    summary = report.comparison.seeds[0]
    assert line.startswith("| cnn/realistic | 0, 1, 2 |")
    assert f"{summary.lowest:.2f} | {summary.highest:.2f} |" in line


def test_evaluations_of_another_comparison_are_refused(report):
    with pytest.raises(EvaluationError, match="not those of the comparison"):
        Report(
            comparison=report.comparison,
            evaluations=report.evaluations[:2],
            ledger=(),
            made_at="",
            code_commit="",
        )


HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "{{ 7 * 7 }}{% raw %}",
    "a|b\n| c | ![x](https://evil.example/x.png) `code`",
    "</title></svg><style>*{display:none}</style>",
)


def _hostile_report():
    family = "<svg/onload=alert(2)>&amp;"
    key = key_of(family)
    skills = {key: (0.6, 0.5), TIME: (0.3, 0.3)}
    table = split_table(skills, profiles=HOSTILE, hosts=HOSTILE[:2])
    entry = LedgerEntry(
        when="now", split="s", bundle="<kbd>", identity="<i>", why=HOSTILE[0], code_commit="<u>"
    )
    return report_of(
        table,
        list(skills),
        ledger=(entry,),
        split=HOSTILE[4],
        claim=HOSTILE[1],
        warnings=HOSTILE,
        untested_profiles=("<u>untested</u>",),
        unseen_profiles=HOSTILE[:1],
        train_hosts=HOSTILE[2:4],
        test_hosts=HOSTILE[:2],
    ), family


def test_hostile_names_are_text_on_the_page_and_in_its_figures():
    report, family = _hostile_report()
    page = Page(render_html(report))
    assert not {"img", "kbd", "i", "u"} & set(page.tags)
    assert page.tags.count("style") == page.tags.count("script") == 1
    assert not [one for one in page.attributes if one[1].startswith("on")]
    text = "".join(page.texts)
    for name in (family, *(name for name in HOSTILE if "\n" not in name)):
        assert name in text
    cells = [cell for row in page.rows for cell in row if cell.startswith("{{ 7 * 7 }}")]
    assert cells
    assert not [cell for cell in cells if "49" in cell]


def test_hostile_names_are_text_in_markdown():
    report, _ = _hostile_report()
    text = render_markdown(report)
    assert "<" not in text
    assert not re.search(r"(?<!\\)!\[|(?<!\\)`|https://", text)
    section, widths = "", {}
    for line in text.splitlines():
        if line.startswith("|"):
            widths.setdefault(section, set()).add(len(re.findall(r"(?<!\\)\|", line)))
        elif line.startswith("## "):
            section = line
    assert widths
    assert all(len(found) == 1 for found in widths.values())


def test_markdown_has_the_headline_and_the_models(report):
    text = render_markdown(report)
    plain = text.replace("\\", "")
    assert headline(report.comparison) in plain
    for one in report.comparison.models:
        assert f"| {report.name(one.key)} |" in plain
    (head,) = (line for line in plain.splitlines() if "scan-and-dial (0 episodes" in line)
    place = head.split("|").index(" scan-and-dial (0 episodes, 0 windows) ")
    rows = plain.split(head)[1].split("\n\n")[0].splitlines()[2:]
    assert [row.split("|")[place].strip() for row in rows] == ["untested"] * len(SKILLS)


def test_names_with_control_and_direction_characters_are_made_visible():
    table = split_table({GBT: (0.6, 0.5)}, profiles=("a\u202eb\x00c",))
    report = report_of(table, [GBT])
    for text in (render_html(report), render_markdown(report)):
        assert "\u202e" not in text
        assert "\x00" not in text
        assert "a�b�c" in text


def test_rendering_twice_gives_the_same_bytes(report, html):
    assert render_html(report) == html


def test_a_page_of_26_configurations_with_5_seeds_stays_below_5_mb():
    report = large_report()
    assert len(report.evaluations) == 26 * 5
    html = render_html(report)
    assert len(html.encode()) < 5_000_000
    assert html.count('class="confusion"') == 26, "one seed stands for its configuration"
    (forest,) = re.findall(r'<svg class="forest".*?</svg>', html.split("macro-f1-on")[-1], re.S)[:1]
    assert forest.count('class="seed"') == 26 * 5, "every seed is in the figure"

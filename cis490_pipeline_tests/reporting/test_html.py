"""The page: well-formed, self-contained, equal to the JSON, and safe with hostile names."""

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
from cis490_pipeline.reporting.report import LedgerEntry, Report
from cis490_pipeline_tests.evaluation.made_up import key_of, rows, split_table
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
    assert not {"script", "link", "img", "iframe", "object", "base"} & set(page.tags)
    assert not [one for one in page.attributes if one[1] in {"src", "href", "srcset", "action"}]
    assert set(re.findall(r"url\([^)]*\)", html)) == {"url(#hatch)"}


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
    assert page.texts.count("transductive") == 1, "the tag beside its name in the table"
    markdown = render_markdown(report).replace("\\", "")
    assert flag in markdown
    assert "| gbt/realistic/transductive | simple, transductive |" in markdown


def test_headline_comes_first_and_is_that_of_the_comparison(report, html):
    text = headline(report.comparison)
    assert text in " ".join(Page(html).texts)
    assert html.index("trained on lab-a") < html.index("<h2>")


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
    matrices = re.findall(r'<svg class="confusion".*?</svg>', html, flags=re.DOTALL)
    assert len(matrices) == len(SKILLS)
    for model, matrix in zip(report.ranked(), matrices, strict=True):
        counts = [int(one) for one in re.findall(r'class="count \w+"[^>]*>(\d+)<', matrix)]
        rows_with_support = [row for row in report.evaluation(model.key).confusion if sum(row)]
        assert counts == [count for row in rows_with_support for count in row]


def test_untested_profile_and_phase_are_shown_as_untested_and_never_as_a_score(page, html):
    (profile,) = page.row("scan-and-dial")
    assert profile[1:] == ["0", "0", "untested: not in the test set"]
    (phase,) = page.row("armed")
    assert phase[3:] == ["untested"] * len(SKILLS)
    assert html.count('class="hatched"') == len(SKILLS)


def test_models_stand_in_the_order_of_id_val(report, page):
    scores = [one.id_val_macro_f1 for one in report.ranked()]
    assert scores == sorted(scores, reverse=True)
    names = [row[0].split("simple")[0] for row in page.rows if len(row) == 10][1:]
    assert names[0].startswith(report.name(report.ranked()[0].key))


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
        when="now", split="s", bundle="<b>", identity="<i>", why=HOSTILE[0], code_commit="<u>"
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
    assert not {"script", "img", "b", "i", "u"} & set(page.tags)
    assert page.tags.count("style") == 1
    assert not [one for one in page.attributes if one[1].startswith("on")]
    text = "".join(page.texts)
    for name in (family, *(name for name in HOSTILE if "\n" not in name)):
        assert name in text
    assert "49" not in page.row("{{ 7 * 7 }}")[0][0]


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
    assert "| scan-and-dial | 0 | 0 | untested |" in plain


def test_names_with_control_and_direction_characters_are_made_visible():
    table = split_table({GBT: (0.6, 0.5)}, profiles=("a\u202eb\x00c",))
    report = report_of(table, [GBT])
    for text in (render_html(report), render_markdown(report)):
        assert "\u202e" not in text
        assert "\x00" not in text
        assert "a�b�c" in text


def test_rendering_twice_gives_the_same_bytes(report, html):
    assert render_html(report) == html

"""The page in a headless Chromium: quiet, alone, sorting, CSV, and the numbers of the JSON."""

import csv
import io
import json
from pathlib import Path

import pytest

from cis490_pipeline.reporting.html import render_html
from cis490_pipeline.reporting.published import COMPARISON, published_comparison, published_json
from cis490_pipeline_tests.evaluation.made_up import split_table
from cis490_pipeline_tests.reporting.browser import Browser, chromium
from cis490_pipeline_tests.reporting.made_up_reports import CNN, GBT, TIME, plain_report, report_of

CSV_OF = """(async () => {
  const real = URL.createObjectURL;
  let blob = null, name = "";
  URL.createObjectURL = (one) => { blob = one; return real.call(URL, one); };
  HTMLAnchorElement.prototype.click = function () { name = this.download; };
  const button = [...document.querySelectorAll("button.csv")]
    .find((one) => one.getAttribute("aria-label") === LABEL);
  button.click();
  URL.createObjectURL = real;
  return [name, await blob.text()];
})()"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT = """[...document.querySelectorAll("main table, main svg")]
  .filter((one) => one.checkVisibility())
  .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((one) => one.closest("section").id)"""
FORMULA = '=HYPERLINK("http://evil.example")'
NAMES = (FORMULA, "+1+1", "@SUM(A1)", "-2+3", "<script>alert(1)</script>", "a\u202eb", "x" * 300)


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def report():
    return plain_report()


@pytest.fixture
def page(browser: Browser, report, tmp_path: Path) -> Browser:
    return opened(browser, report, tmp_path)


def opened(browser: Browser, report, tmp_path: Path, **size: int) -> Browser:
    browser.complaints.clear()
    browser.requests.clear()
    path = tmp_path / "report.html"
    path.write_text(render_html(report), "utf-8")
    browser.open(path, **size)
    return browser


def csv_of(page: Browser, label: str) -> tuple[str, list[list[str]]]:
    name, text = page.run(CSV_OF.replace("LABEL", json.dumps(label)))
    return name, list(csv.reader(io.StringIO(text)))


def column(page: Browser, section: str, place: int) -> list[str]:
    return page.run(
        f"[...document.querySelectorAll('#{section} tbody tr')].map((row) =>"
        f" row.cells[{place}].firstChild.textContent.trim())"
    )


def test_the_page_is_quiet_and_asks_for_nothing_but_itself(page: Browser) -> None:
    page.run("[...document.querySelectorAll('button')].forEach((one) => one.click())")
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith(("file:", "blob:"))] == []
    assert sum(url.startswith("file:") for url in page.requests) == 1


def test_a_script_that_is_not_the_page_s_own_does_not_run(page: Browser) -> None:
    page.run(
        "(() => { const one = document.createElement('script');"
        " one.textContent = 'window.intruded = true'; document.body.append(one); })()"
    )
    assert page.run("window.intruded === undefined") is True
    assert any("Content Security Policy" in told for told in page.complaints)


def test_a_column_sorts_by_number_and_untested_stays_last(page: Browser, report) -> None:
    before = column(page, "models", 1)
    head = "document.querySelectorAll('#models thead th')[1]"
    page.run(f"{head}.querySelector('button').click()")
    assert page.run(f"{head}.getAttribute('aria-sort')") == "descending"
    assert column(page, "models", 1) == sorted(before, key=float, reverse=True)
    page.run(f"{head}.querySelector('button').click()")
    assert column(page, "models", 1) == sorted(before, key=float)
    page.run(f"{head}.querySelector('button').click()")
    assert page.run(f"{head}.hasAttribute('aria-sort')") is False
    assert column(page, "models", 1) == before, "the order of id_val"


def test_untested_stays_last_in_both_directions(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "mixed.html"
    cells = ("0.73<span class='range'>[0.67, 0.78]</span>", "untested", "0.9", "none", "&lt; 0.001")
    rows = "".join(f"<tr><th>{i}</th><td>{cell}</td></tr>" for i, cell in enumerate(cells))
    table = (
        '<div class="scroll"><table><thead><tr><th>a</th><th>b</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
    html = render_html(plain_report())
    head, _, _ = html.partition("<main")
    script = html[html.index("<script") :]
    path.write_text(f'{head}<main><section id="s"><h2>t</h2>{table}</section></main>{script}')
    browser.open(path)
    for order in (["0.9", "0.73", "< 0.001"], ["< 0.001", "0.73", "0.9"]):
        browser.run("document.querySelectorAll('#s thead button')[1].click()")
        assert column(browser, "s", 1) == [*order, "untested", "none"]


def test_a_column_is_sorted_by_keyboard_alone(page: Browser) -> None:
    page.run("document.querySelector('#models thead th button').focus()")
    page.press("Tab")
    page.press("Enter")
    sorts = "[...document.querySelectorAll('#models thead th')].map((one) => one.ariaSort)"
    assert page.run(sorts)[:2] == [None, "descending"]


def test_csv_of_a_table_has_the_numbers_of_the_json(page: Browser, report) -> None:
    name, (head, *rows) = csv_of(page, "CSV of Models")
    assert name == "host=lab-b_comparison_of_detectors_Models.csv"
    figures = json.loads(published_json(COMPARISON, published_comparison(report)))
    by_name = {report.name(one.key): one.bundle for one in report.evaluations}
    models = {one["bundle"]: one for one in figures["models"]}
    place = {title: i for i, title in enumerate(head)}
    assert len(rows) == len(models)
    for row in rows:
        model = models[by_name[row[0]]]["macro_f1"]
        told = [row[place[f"macro F1test{end}"]] for end in ("", " low", " high")]
        assert told == [f"{model[end]:.2f}" for end in ("point", "low", "high")]


def test_csv_of_a_figure_has_its_numbers(page: Browser, report) -> None:
    caption = f"confusion matrix of {report.name(GBT)}"
    _, (head, *rows) = csv_of(page, f"CSV of Confusion – {caption}")
    evaluation = report.evaluation(GBT)
    assert head == ["truth", *evaluation.labels]
    for label, counts, row in zip(evaluation.labels, evaluation.confusion, rows, strict=True):
        untested = ["untested"] * len(counts)
        assert row == [label, *(map(str, counts) if sum(counts) else untested)]


def test_csv_of_a_curve_has_the_numbers_of_the_json(page: Browser, report) -> None:
    labels = page.run("[...document.querySelectorAll('button.csv')].map((one) => one.ariaLabel)")
    start = f"CSV of Calibration – reliability of {report.name(GBT)}: "
    (label,) = (one for one in labels if one.startswith(start))
    _, (head, *rows) = csv_of(page, label)
    place = {title: i for i, title in enumerate(head)}
    figures = json.loads(published_json(COMPARISON, published_comparison(report)))["measures"]
    bundle = next(one for one in figures if one["key"]["family"] == "gbt")
    for row, one in zip(rows, bundle["measures"]["calibration"]["bins"], strict=True):
        assert row[place["windows"]] == str(one["n_windows"])
        if one["n_windows"]:
            told = float(row[place["share that is right"]])
            assert told == pytest.approx(one["accuracy"], rel=0.02)


def test_hostile_names_are_text_on_the_page_and_no_formula_in_csv(
    browser: Browser, tmp_path: Path
) -> None:
    skills = {GBT: (0.7, 0.6), CNN: (0.6, 0.5), TIME: (0.4, 0.3)}
    table = split_table(skills, profiles=NAMES, hosts=NAMES[:4], n_episodes=28)
    page = opened(
        browser, report_of(table, list(skills), test_hosts=NAMES[:4]), tmp_path, width=390
    )
    assert page.run("document.querySelectorAll('main script, main img').length") == 0
    assert page.run(TOO_WIDE) == 0
    assert page.complaints == []
    assert not [url for url in page.requests if not url.startswith("file:")]
    _, (head, *rows) = csv_of(page, "CSV of Hosts and profiles")
    cells = [*head, *(cell for row in rows for cell in row)]
    assert "'" + FORMULA in cells
    assert {"'+1+1", "'@SUM(A1)", "'-2+3"} <= {cell.partition(" (")[0] for cell in cells}
    assert not [cell for cell in cells if cell[:1] in "=@" and cell]
    assert not [cell for cell in cells if "\u202e" in cell]
    differences = csv_of(page, "CSV of Paired differences")[1]
    assert [row for row in differences[1:] if row[2].startswith(("-", "+"))], "numbers stay numbers"


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_only_tables_scroll_sideways_never_the_page(
    browser: Browser, report, tmp_path: Path, width: int
) -> None:
    page = opened(browser, report, tmp_path, width=width)
    page.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.run(TOO_WIDE) == 0


def test_print_unfolds_how_things_were_computed_and_hides_the_controls(
    browser: Browser, report, tmp_path: Path
) -> None:
    page = opened(browser, report, tmp_path, width=718)  # A4 without its margins
    page.call("Emulation.setEmulatedMedia", media="print")
    try:
        shown = "(one) => one.checkVisibility()"
        assert page.run(f"[...document.querySelectorAll('.method p')].every({shown})") is True
        for hidden in ("nav.sections", "button.csv", "details.numbers"):
            assert page.run(f"[...document.querySelectorAll('{hidden}')].some({shown})") is False
        assert page.run(f"[...document.querySelectorAll('.curves .curve')].every({shown})") is True
        assert page.run(CUT) == [], "nothing sticks out of the paper"
    finally:
        page.call("Emulation.setEmulatedMedia", media="")

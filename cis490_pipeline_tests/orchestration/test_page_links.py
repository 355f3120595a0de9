"""Where the links on an asset's page lead."""

from pathlib import Path

from cis490_pipeline.orchestration.resources import lab_of
from cis490_pipeline.settings import Settings

PAGE = Path("reports") / "host=lab-b" / "a report.html"


def test_without_a_web_address_a_link_names_the_file(tmp_path: Path) -> None:
    lab = lab_of(Settings(data=tmp_path))
    assert lab.page_url(tmp_path / PAGE) == (tmp_path / PAGE).as_uri()


def test_with_one_it_leads_to_where_the_reports_are_served(tmp_path: Path) -> None:
    for given in ("https://lab.example/reports", "https://lab.example/reports/"):
        lab = lab_of(Settings(data=tmp_path, reports_url=given))
        found = lab.page_url(tmp_path / PAGE)
        assert found == "https://lab.example/reports/host%3Dlab-b/a%20report.html"

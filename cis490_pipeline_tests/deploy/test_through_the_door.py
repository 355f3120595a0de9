"""People's own way in: a real browser, a password, the UI and the live page behind nginx."""

from collections.abc import Iterator

import pytest

from cis490_pipeline_tests.deploy.conftest import Lab
from cis490_pipeline_tests.deploy.door import NAME, Door
from cis490_pipeline_tests.reporting.browser import Browser, chromium_path

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser(chromium_path(), f"--host-resolver-rules=MAP {NAME} 127.0.0.1") as found:
        found.call("Security.setIgnoreCertificateErrors", ignore=True)  # of a throw-away authority
        yield found


def log_in(browser: Browser, door: Door) -> None:
    """As a person does at the prompt: the browser keeps it for all of the door."""
    user, password = door.user
    browser.visit(f"https://{user}:{password}@{door.host}/favicon.png")


@pytest.mark.parametrize("name", ["viewers", "operators"])
def test_the_ui_shows_its_sensors_and_nothing_it_asks_for_is_refused(
    lab: Lab, browser: Browser, name: str
) -> None:
    door: Door = getattr(lab, name)
    log_in(browser, door)
    browser.visit(f"{door.origin}/automation")
    browser.wait("document.body.innerText.includes('new_episodes')")
    browser.wait("document.body.innerText.includes('nightly')")
    refused = [line for line in browser.complaints if "status of 4" in line]
    assert refused == []
    asked = [url for url in browser.requests if "/graphql" in url]
    assert len(asked) > 3
    assert all(url.startswith((door.origin, door.origin.replace("https", "wss"))) for url in asked)

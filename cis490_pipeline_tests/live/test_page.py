"""The page in a real browser: every scene with recorded episodes, numbers as in the tables."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from cis490_pipeline.edge.detector import Detector
from cis490_pipeline.edge.recording import read_recording
from cis490_pipeline.evaluation.records import current_records
from cis490_pipeline.live.replaying import Clock, Costs, Tape, Watching, perf, play
from cis490_pipeline.models.bundle import open_bundle, read_projection
from cis490_pipeline.models.catalog import FAMILIES
from cis490_pipeline.models.predict import window_scorer
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.shadow.summary import standing_summaries
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.datasets.smoke import CORPUS, INDEX, SPLIT, copy_of, scored_warehouse
from cis490_pipeline_tests.live.hubs import LivingHub, living_hub
from cis490_pipeline_tests.reporting.browser import Browser, chromium
from cis490_pipeline_tests.shadow.watched import watched_warehouse

SCENES = (
    "overview",
    "phases",
    "replay",
    "models",
    "profiles",
    "performance",
    "shadow",
    "episodes",
    "alerts",
)
HOSTILE = "<img src=x onerror=document.title='owned'>"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the smoke subset with an alert, its warehouse with scored models and a watch."""
    place = tmp_path_factory.mktemp("page")
    shutil.copytree(CORPUS / "episodes", place / "store" / "episodes")
    shutil.copy(CORPUS / INDEX, place / "store" / "index.jsonl")
    alert = {
        "host": HOSTILE,
        "symptom": "skew",
        "detail": "the clock is 41 s ahead",
        "suggested_fix": "let chrony run",
        "detected_at_wall": "2026-11-23T14:01:00Z",
        "dedup_key": "a",
    }
    line = json.dumps(alert) + "\n"
    (place / "store" / "alerts.jsonl").write_text(line * 3, encoding="utf-8")
    copy_of(scored_warehouse(tmp_path_factory), place / "data")
    shutil.copytree(watched_warehouse(tmp_path_factory).root / "shadow", place / "data" / "shadow")
    return place


@pytest.fixture(scope="module")
def served(root: Path) -> Iterator[tuple[LivingHub, Browser]]:
    with living_hub(root, plans=lambda watching: watching.plans) as hub, chromium() as browser:
        hub.wait(lambda: hub.get("/v1/episodes?status=accepted&limit=1")["total"] > 0)
        browser.visit(f"http://127.0.0.1:{hub.port}/")
        browser.wait("document.getElementById('connection').dataset.state === 'open'")
        yield hub, browser


def go(browser: Browser, scene: str) -> None:
    browser.run(f"location.hash = '#/{scene}'")
    browser.wait(f"document.querySelector('#scene-{scene} .body:not([hidden])') !== null")


def texts(browser: Browser, selector: str) -> list[str]:
    wanted = json.dumps(selector)
    return browser.run(f"[...document.querySelectorAll({wanted})].map((one) => one.textContent)")


def rows(browser: Browser, selector: str) -> list[list[str]]:
    return browser.run(
        f"[...document.querySelectorAll({json.dumps(selector + ' tbody tr')})]"
        ".map((row) => [...row.children].map((cell) => cell.textContent))"
    )


def index_of(root: Path) -> pl.DataFrame:
    return pl.read_ndjson(root / "store" / "index.jsonl")


def test_the_overview_has_the_totals_of_the_index(
    served: tuple[LivingHub, Browser], root: Path
) -> None:
    _, browser = served
    go(browser, "overview")
    index = index_of(root)
    assert browser.wait("document.querySelector('#total-episodes .big')?.textContent") == str(
        len(index)
    )
    size = sum(index["size_bytes"].to_list()) / 1e6
    assert texts(browser, "#total-bytes .big") == [f"{size:.1f} MB"]
    hosts = {row[0]: row[1] for row in rows(browser, ".hosts")}
    counted = index.group_by("host_id").len()
    assert hosts == {host: str(n) for host, n in counted.iter_rows()}
    assert len(rows(browser, ".newest")) == 14
    assert "last event" in texts(browser, "#scene-overview .age")[0]
    assert browser.wait("document.querySelector('#total-alerts .big').textContent === '1'")


def test_the_mix_is_that_of_the_table(served: tuple[LivingHub, Browser], root: Path) -> None:
    _, browser = served
    go(browser, "phases")
    episodes = pl.read_delta(str(Warehouse(root / "data").tables.path(Table.EPISODES)))
    steps = episodes.explode("transitions").unnest("transitions")
    counted = dict(steps.group_by("phase").len().iter_rows())
    shown = {row[0]: int(row[3]) for row in rows(browser, ".phases")}
    assert shown == {phase: counted.get(phase, 0) for phase in shown}
    assert sum(int(float(row[1].removesuffix(" %")) + 0.5) for row in rows(browser, ".phases")) in (
        99,
        100,
        101,
    )
    basis = texts(browser, "#mix-basis")[0]
    assert f"{len(episodes)} of {len(index_of(root))} received episodes" in basis


def replay(hub: LivingHub, root: Path, family: str = "gbt") -> list[Any]:
    """Play an episode to the hub; return what was told."""
    warehouse = Warehouse(root / "data")
    (record,) = (r for r in current_records(warehouse.layout, SPLIT) if r.fitted.family == family)
    directory = ModelRegistry(warehouse.layout.models).find(record.fitted.bundle)
    bundle = open_bundle(directory)
    row = index_of(root).filter(host_id="lab-b").row(3, named=True)
    path = root / "store" / "episodes" / "lab-b" / f"{row['episode_id']}.tar.zst"
    watching = Watching(
        header=bundle.header,
        bundle=bundle.sha256,
        start=lambda: Detector(bundle.header, window_scorer(bundle)),
        projection=read_projection(directory, bundle.header),
    )
    tape = Tape(
        replay="r1", episode_id=row["episode_id"], host_id="lab-b", recording=read_recording(path)
    )
    costs = Costs()
    told: list[Any] = list(play(tape, watching, Clock(speed=0), costs))
    told.append(perf(watching, costs, machine="box", rss_bytes=None, size_bytes=1234, at=1.0))
    status, said = hub.post(*[(one.topic.value, msgspec.to_builtins(one)) for one in told])
    assert (status, said["accepted"]) == (202, len(told))
    return told


def test_a_replay_shows_what_was_told_and_what_it_cost(
    served: tuple[LivingHub, Browser], root: Path
) -> None:
    hub, browser = served
    told = replay(hub, root)
    predictions = [one for one in told if one.topic == "prediction"]
    go(browser, "replay")
    n = len(predictions)
    browser.wait(f"document.querySelectorAll('.lane:nth-of-type(2) rect title').length === {n}")
    assert texts(browser, ".lane:nth-of-type(2) rect title") == [
        f"{one.predicted.value} at {one.t_s:g} s" for one in predictions
    ]
    first = next((one.verdict_s for one in predictions if one.alarm), None)
    said = texts(browser, "#alarm")[0]
    assert ("No alarm" in said) if first is None else (f"raised at {first:.0f} s" in said)
    assert browser.run("document.querySelectorAll('.plot canvas').length") == 2
    go(browser, "performance")
    (row,) = rows(browser, ".perf")
    cost = told[-1]
    assert (row[1], row[3], row[4], row[5]) == ("box", "–", "1.2 kB", str(n))
    assert row[2].split(" ms")[0] == f"{cost.latency_p50_ms:.3g}"


def test_models_and_profiles_are_those_of_the_records(
    served: tuple[LivingHub, Browser], root: Path
) -> None:
    _, browser = served
    records = current_records(Warehouse(root / "data").layout, SPLIT)
    go(browser, "models")
    shown = dict(
        browser.run(
            "[...document.querySelectorAll('.model:not(.untrained)')]"
            ".map((one) => [one.dataset.family, one.querySelector('.value').textContent])"
        )
    )
    wanted = {}
    for record in records:
        assert record.evaluation is not None
        score = record.evaluation.macro_f1
        wanted[record.fitted.family] = f"{score.point:.2f}{score.low:.2f} – {score.high:.2f}"
    assert shown == wanted
    every = sum(len(spec.modes) for spec in FAMILIES)
    assert len(texts(browser, ".model.untrained")) == every - len(records)
    assert set(texts(browser, ".model.untrained small")) == {"not fitted"}

    go(browser, "profiles")
    (gbt,) = (r.evaluation for r in records if r.fitted.family == "gbt")
    assert gbt is not None
    cells = {row[0]: row[1] for row in rows(browser, ".matrix")}
    for one in gbt.profiles:
        if one.macro_f1 is None or one.macro_f1.point is None:
            assert cells[one.name] == "untested"
        else:
            assert cells[one.name].startswith(f"{one.macro_f1.point:.2f}")
    assert cells["scan-and-dial"] == "untested"


def test_shadow_mode_shows_the_summary(served: tuple[LivingHub, Browser], root: Path) -> None:
    _, browser = served
    (found,) = standing_summaries(Warehouse(root / "data").layout)
    go(browser, "shadow")
    ((host, _, n_episodes, _, false_alarms, detected, *_),) = rows(browser, ".watched")
    assert (host, n_episodes) == ("lab-b", str(found.n_episodes))
    rate, share = found.false_alarms_per_host_hour, found.detected
    assert rate.point is not None
    assert false_alarms.startswith(f"{rate.point:.3g}")
    assert detected.startswith(f"{share.point:.2f}")
    drifted = sum(one.drifted for one in found.drift.channels)
    assert texts(browser, ".drift h3 small")[0].startswith(f"{drifted} of ")


def test_episodes_are_searched_sorted_and_paged(
    served: tuple[LivingHub, Browser], root: Path
) -> None:
    _, browser = served
    go(browser, "episodes")
    index = index_of(root)
    found = f"1 to 25 of {len(index)} that fit; {len(index)} in all"
    browser.wait(f"document.getElementById('found').textContent === {json.dumps(found)}")
    first = rows(browser, ".episodes")
    browser.run("document.getElementById('after').click()")
    browser.wait("document.getElementById('found').textContent.startsWith('26 to')")
    second = rows(browser, ".episodes")
    assert {row[7] for row in first}.isdisjoint(row[7] for row in second)
    browser.run("document.querySelectorAll('.episodes thead button')[7].click()")
    browser.wait("document.querySelectorAll('.episodes th')[7].ariaSort === 'descending'")
    browser.wait("document.getElementById('found').textContent.startsWith('1 to')")
    ids = sorted(index["episode_id"], reverse=True)
    browser.wait(f"document.querySelector('.episodes tbody a').textContent === '{ids[0]}'")
    assert [row[7] for row in rows(browser, ".episodes")] == ids[:25]

    browser.run(
        "const s = document.getElementById('search'); s.value = 'lab-b';"
        "s.dispatchEvent(new Event('input'))"
    )
    n = index.filter(host_id="lab-b").height
    browser.wait(f"document.getElementById('found').textContent.includes('of {n} that fit')")
    assert {row[1] for row in rows(browser, ".episodes")} == {"lab-b"}
    browser.run("document.querySelector('.episodes tbody a').click()")
    chosen = rows(browser, ".episodes")[0][7]
    browser.wait(f"document.getElementById('episode')?.textContent === '{chosen}'")
    assert len(texts(browser, ".transitions li")) >= 1


def test_alerts_come_once_and_names_are_text(served: tuple[LivingHub, Browser]) -> None:
    _, browser = served
    go(browser, "alerts")
    assert texts(browser, ".alerts .host") == [HOSTILE]
    assert "chrony" in texts(browser, ".alerts .fix")[0]
    assert browser.run("document.querySelectorAll('main img').length") == 0
    assert browser.run("document.title") != "owned"


def test_keys_lead_through_scenes_and_every_one_is_drawn_in_both_themes(
    served: tuple[LivingHub, Browser],
) -> None:
    _, browser = served
    for _ in range(2):
        before = browser.run("getComputedStyle(document.body).backgroundColor")
        for place, scene in enumerate(SCENES, start=1):
            browser.press(str(place))
            browser.wait(f"document.querySelector('#scene-{scene} .panel') !== null")
            assert browser.run(
                "document.querySelector('#scenes [aria-current]').dataset.scene"
            ) == (scene)
            overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert browser.run(overflow) <= 0
        browser.press("t")
        assert browser.run("getComputedStyle(document.body).backgroundColor") != before
    assert browser.complaints == []
    assert {url.split("/")[2] for url in browser.requests if url.startswith("http")} == {
        browser.run("location.host")
    }


def test_on_a_wall_scenes_are_shown_whole(served: tuple[LivingHub, Browser]) -> None:
    hub, browser = served
    browser.visit("about:blank", width=1920, height=1080)
    browser.visit(f"http://127.0.0.1:{hub.port}/", width=1920, height=1080)
    browser.wait("document.getElementById('connection').dataset.state === 'open'")
    browser.press("f")
    browser.press(" ")  # stay on what is chosen
    for place, scene in enumerate(SCENES, start=1):
        browser.press(str(place))
        browser.wait(f"document.querySelector('#scene-{scene} .panel') !== null")
        if scene != "episodes":  # a page of rows is made to be searched, not watched
            browser.wait("document.documentElement.scrollHeight <= innerHeight")
    browser.press("f")
    assert browser.run("document.getElementById('main').style.zoom") == "1"


def test_on_a_phone_nothing_sticks_out(served: tuple[LivingHub, Browser]) -> None:
    hub, browser = served
    browser.visit("about:blank", width=390, height=844)
    browser.visit(f"http://127.0.0.1:{hub.port}/", width=390, height=844)
    browser.wait("document.getElementById('connection').dataset.state === 'open'")
    for scene in SCENES:
        browser.run(f"location.hash = '#/{scene}'")
        browser.wait(f"document.querySelector('#scene-{scene} .panel') !== null")
        assert browser.run("document.documentElement.scrollWidth") <= 390, scene


def test_a_restart_shows_a_gap_and_goes_on(root: Path, tmp_path: Path) -> None:
    """The server dies and comes back on the same port; the page says so and hears what follows."""
    place = tmp_path / "again"
    shutil.copytree(root / "store", place / "store")
    plans = ("episodes", "snapshot")

    def some(watching: Any) -> list[Any]:
        return [one for one in watching.plans if one.name in plans]

    with chromium() as browser, ExitStack() as first:
        hub = first.enter_context(living_hub(place, plans=some))
        browser.visit(f"http://127.0.0.1:{hub.port}/")
        n = len(index_of(place))
        browser.wait(f"document.querySelector('#total-episodes .big')?.textContent === '{n}'")
        assert browser.run("document.getElementById('gap').hidden") is True
        first.close()
        browser.wait("document.getElementById('connection').dataset.state !== 'open'")
        index = place / "store" / "index.jsonl"
        lines = index.read_text("utf-8").splitlines()
        more = {**json.loads(lines[0]), "episode_id": "01TEST00000000000000000000"}
        index.write_text("\n".join([*lines, json.dumps(more)]) + "\n", encoding="utf-8")
        with living_hub(place, plans=some, port=hub.port):
            browser.wait("document.getElementById('gap').hidden === false")
            assert "started anew" in texts(browser, "#gap")[0]
            browser.wait(
                f"document.querySelector('#total-episodes .big').textContent === '{n + 1}'"
            )
            assert texts(browser, "#scene-overview .mark:not([hidden])") != []

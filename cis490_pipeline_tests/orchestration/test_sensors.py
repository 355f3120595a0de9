"""The sensors: whole new rows become runs, hosts become partitions, and nothing is asked twice."""

import gzip

import dagster as dg
import pytest

from cis490_pipeline.orchestration.resources import lab_of
from cis490_pipeline.orchestration.sensors import new_episodes, reconcile
from cis490_pipeline.schema.tables import Table
from cis490_pipeline_tests.episodes.building import episode_id
from cis490_pipeline_tests.orchestration.conftest import INGEST, Farm


def tick(
    farm: Farm, sensor: dg.SensorDefinition, cursor: str | None = None
) -> tuple[list[dg.RunRequest], str | None]:
    """Evaluate a sensor once; return its run requests and the cursor that it leaves."""
    lab = lab_of(farm.settings)
    with dg.build_sensor_context(
        instance=farm.instance,
        cursor=cursor,
        definitions=farm.definitions,
        resources={"lab": lab},
    ) as context:
        found = sensor(context)
        if isinstance(found, dg.SkipReason):
            return [], context.cursor
        assert isinstance(found, dg.SensorResult)
        return list(found.run_requests or []), found.cursor


def test_the_first_tick_asks_for_every_host_and_the_next_for_nothing(farm: Farm) -> None:
    requests, cursor = tick(farm, new_episodes)
    assert [request.partition_key for request in requests] == ["lab-a", "lab-b"]
    again, later = tick(farm, new_episodes, cursor)
    assert again == []
    assert later == cursor


def test_a_new_host_is_a_partition_and_a_run_in_the_same_tick(farm: Farm) -> None:
    _, cursor = tick(farm, new_episodes)
    farm.ship("lab-c", 700)
    requests, _ = tick(farm, new_episodes, cursor)
    assert [request.partition_key for request in requests] == ["lab-c"]
    assert "lab-c" in farm.instance.get_dynamic_partitions("host")
    assert "host=lab-c" in farm.instance.get_dynamic_partitions("split")


def test_an_unfinished_line_waits_for_its_newline(farm: Farm) -> None:
    _, cursor = tick(farm, new_episodes)
    farm.ship("lab-b", 701)
    index = farm.store / "index.jsonl"
    whole = index.read_bytes()
    index.write_bytes(whole[:-30])
    requests, cursor = tick(farm, new_episodes, cursor)
    assert requests == []
    index.write_bytes(whole)
    requests, _ = tick(farm, new_episodes, cursor)
    assert [request.partition_key for request in requests] == ["lab-b"]


def test_a_run_reads_the_index_up_to_where_the_sensor_read_and_no_further(farm: Farm) -> None:
    requests, _ = tick(farm, new_episodes)
    farm.ship("lab-a", 702)
    for request in requests:
        assert farm.run(INGEST, request.partition_key, run_config=dict(request.run_config)).success
    rows = farm.warehouse.tables.read(Table.VALIDATION_INDEX, columns=["episode_id"])
    assert len(rows) == 24
    assert episode_id(702) not in rows["episode_id"].to_pylist()
    farm.ingest("lab-a")  # by hand: everything
    rows = farm.warehouse.tables.read(Table.VALIDATION_INDEX, columns=["episode_id"])
    assert episode_id(702) in rows["episode_id"].to_pylist()


def test_a_cursor_that_was_cleared_asks_again_for_a_file_of_the_same_length(farm: Farm) -> None:
    first, _ = tick(farm, new_episodes)
    index = farm.store / "index.jsonl"
    rows = index.read_bytes()
    index.unlink()
    index.write_bytes(rows.replace(b"2026", b"2027"))
    second, _ = tick(farm, new_episodes)
    assert [r.partition_key for r in second] == [r.partition_key for r in first]
    assert not {r.run_key for r in first} & {r.run_key for r in second}


def test_a_tick_tells_how_far_behind_it_is_and_a_gap_is_an_error(
    farm: Farm, capsys: pytest.CaptureFixture[str]
) -> None:
    index = farm.store / "index.jsonl"
    with index.open("ab") as file:
        file.write(b'{"episode_id": "01')
    _, cursor = tick(farm, new_episodes)
    told = capsys.readouterr().err
    assert "24 new rows in generation 0" in told
    assert "18 bytes behind" in told
    assert "ERROR" not in told
    index.write_bytes(index.read_bytes()[:500])  # cut, and no copy kept
    tick(farm, new_episodes, cursor)
    told = capsys.readouterr().err
    assert "ERROR" in told
    assert "rows may be missing" in told


def test_run_keys_differ_between_generations_of_the_file(farm: Farm) -> None:
    first, cursor = tick(farm, new_episodes)
    index = farm.store / "index.jsonl"
    rows = index.read_bytes()
    index.rename(index.with_name("index.jsonl.1"))
    index.write_bytes(rows)
    second, _ = tick(farm, new_episodes, cursor)
    keys = [{request.run_key for request in requests} for requests in (first, second)]
    assert len(keys[1]) == 2
    assert not keys[0] & keys[1]


def test_reconcile_heals_what_a_failed_run_left(farm: Farm) -> None:
    _, cursor = tick(farm, new_episodes)  # the runs that it asked for never happened
    assert tick(farm, new_episodes, cursor)[0] == []
    requests, _ = tick(farm, reconcile)
    assert [request.partition_key for request in requests] == ["lab-a", "lab-b"]
    farm.ingest("lab-a")
    assert [request.partition_key for request in tick(farm, reconcile)[0]] == ["lab-b"]
    farm.ingest("lab-b")
    assert tick(farm, reconcile)[0] == []


RANGE = {
    "dagster/asset_partition_range_start": "lab-a",
    "dagster/asset_partition_range_end": "lab-b",
}


@pytest.mark.parametrize(
    ("job", "tags", "asked"),
    [
        ("ingest_host", {"dagster/partition": "lab-a"}, ["lab-b"]),
        ("__ASSET_JOB", {"dagster/partition": "lab-b"}, ["lab-a"]),
        ("__ASSET_JOB", RANGE, []),
        ("full_split", {"dagster/partition": "lab-a"}, ["lab-a", "lab-b"]),  # a split of that name
    ],
)
def test_reconcile_leaves_a_host_alone_that_a_run_ingests(
    farm: Farm, job: str, tags: dict[str, str], asked: list[str]
) -> None:
    tick(farm, new_episodes)
    ingests = job == "__ASSET_JOB"
    run = dg.DagsterRun(
        job_name=job,
        status=dg.DagsterRunStatus.STARTED,
        tags=tags,
        asset_selection=frozenset({dg.AssetKey("validation_index")}) if ingests else None,
    )
    farm.instance.add_run(run)
    assert [request.partition_key for request in tick(farm, reconcile)[0]] == asked
    farm.instance.report_run_failed(run)
    everybody = ["lab-a", "lab-b"]
    assert [request.partition_key for request in tick(farm, reconcile)[0]] == everybody


def test_reconcile_finds_rows_and_hosts_that_were_rotated_away(farm: Farm) -> None:
    _, cursor = tick(farm, new_episodes)
    farm.ingest("lab-a", "lab-b")
    farm.ship("lab-c", 703)
    index = farm.store / "index.jsonl"
    (farm.store / "index.jsonl.1.gz").write_bytes(gzip.compress(index.read_bytes()))
    index.unlink()
    farm.ship("lab-b", 704)
    requests, _ = tick(farm, new_episodes, cursor)
    assert [request.partition_key for request in requests] == ["lab-b"]
    assert "lab-c" in farm.instance.get_dynamic_partitions("host")
    assert [r.partition_key for r in tick(farm, reconcile)[0]] == ["lab-b", "lab-c"]
    farm.ingest("lab-b", "lab-c")
    assert tick(farm, reconcile)[0] == []


def test_a_tarball_known_to_be_missing_is_not_behind(farm: Farm) -> None:
    path = farm.store / "episodes" / "lab-a" / f"{episode_id(0)}.tar.zst"
    blob = path.read_bytes()
    path.unlink()
    farm.ingest("lab-a", "lab-b")
    assert tick(farm, reconcile)[0] == []
    path.write_bytes(blob)
    assert [request.partition_key for request in tick(farm, reconcile)[0]] == ["lab-a"]


@pytest.mark.parametrize("cursor", ["", "nonsense", '{"version": 99}'])
def test_a_cursor_of_another_form_reads_from_the_beginning_or_says_so(
    farm: Farm, cursor: str
) -> None:
    requests, left = tick(farm, new_episodes, cursor)
    assert [request.partition_key for request in requests] == ["lab-a", "lab-b"]
    assert left

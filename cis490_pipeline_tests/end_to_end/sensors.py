"""Sensors under the real daemon: started by GraphQL, and ticking without the wait between ticks.

Not here: what the sensors do (``orchestration``).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorState, SensorInstigatorData

from cis490_pipeline_tests.end_to_end.graphql import REPOSITORY_SELECTOR, ordered
from cis490_pipeline_tests.end_to_end.servers import Dagster, wait_until

START: Final = """mutation($s: SensorSelector!) { startSensor(sensorSelector: $s) { __typename
    ... on PythonError { message } ... on UnauthorizedError { message } } }"""
_STATE: Final = """query($s: SensorSelector!) { sensorOrError(sensorSelector: $s) {
    ... on Sensor { sensorState { id selectorId status } } } }"""
_STOP: Final = """mutation($i: String) { stopSensor(id: $i) { __typename
    ... on PythonError { message } ... on UnauthorizedError { message } } }"""
_TICKS: Final = """query($s: SensorSelector!) { sensorOrError(sensorSelector: $s) {
    ... on Sensor { sensorState { ticks(limit: 20) {
        tickId timestamp endTimestamp status skipReason runIds error { message }
        logEvents { events { message } } } } } } }"""
_DONE: Final = ("SUCCESS", "SKIPPED")


def selector(name: str) -> dict[str, str]:
    return {**REPOSITORY_SELECTOR, "sensorName": name}


def start_sensor(dagster: Dagster, name: str) -> None:
    ordered(dagster.ask(START, s=selector(name)), "Sensor")


def stop_sensor(dagster: Dagster, name: str) -> None:
    state = dagster.ask(_STATE, s=selector(name))["sensorOrError"]["sensorState"]
    ordered(dagster.ask(_STOP, i=state["id"]), "StopSensorMutationResult")


def ticks(dagster: Dagster, name: str) -> list[dict[str, Any]]:
    """Return a sensor's latest ticks as the UI shows them, newest first."""
    return dagster.ask(_TICKS, s=selector(name))["sensorOrError"]["sensorState"]["ticks"]


def told(dagster: Dagster, name: str) -> str:
    """Return everything that the ticks of a sensor said."""
    found = ticks(dagster, name)
    said = [event["message"] for tick in found for event in tick["logEvents"]["events"]]
    return "\n".join([*said, *(tick["skipReason"] or "" for tick in found)])


def ticked(dagster: Dagster, name: str, *, after: float = 0.0) -> dict[str, Any]:
    """Wait for the end of a sensor's next tick; one that fails is no tick."""

    def done() -> dict[str, Any] | None:
        latest = ticks(dagster, name)[:1]
        if latest and latest[0]["timestamp"] > after and latest[0]["status"] in _DONE:
            return latest[0]
        return None

    return wait_until(
        done, seconds=300, what=f"{name} ticks", seen=lambda: ticks(dagster, name)[:3]
    )


def next_tick(dagster: Dagster, data: Path, name: str) -> dict[str, Any]:
    """Let the time between two ticks pass at once; return the tick that the daemon then makes.

    The state of a sensor is the daemon's while it ticks, so that nothing is touched until the last
    tick is in it.
    """
    with dg.DagsterInstance.from_config(str(data / "dagster")) as instance:

        def at_rest() -> tuple[float, InstigatorState] | None:
            latest, state = ticks(dagster, name)[:1], _state(instance, name)
            rested = latest and latest[0]["status"] in _DONE and _holds(state, latest[0])
            return (latest[0]["timestamp"], state) if rested else None

        before, state = wait_until(
            at_rest,
            seconds=300,
            what=f"{name} rests",
            seen=lambda: (ticks(dagster, name)[:1], _state(instance, name)),
        )
        data_now = cast("SensorInstigatorData", state.instigator_data)
        long_ago = data_now._replace(last_tick_timestamp=1.0, last_tick_start_timestamp=None)
        instance.update_instigator_state(state.with_data(long_ago))
    return ticked(dagster, name, after=before)


def _state(instance: dg.DagsterInstance, name: str) -> InstigatorState:
    (found,) = [s for s in instance.all_instigator_state() if s.instigator_name == name]
    return found


def _holds(state: InstigatorState, tick: Mapping[str, Any]) -> bool:
    """Say whether the daemon has written the tick into the state and has begun no other."""
    data = cast("SensorInstigatorData", state.instigator_data)
    is_over = bool(data.last_tick_success_timestamp) or not data.last_tick_start_timestamp
    return is_over and data.last_tick_timestamp == tick["timestamp"]

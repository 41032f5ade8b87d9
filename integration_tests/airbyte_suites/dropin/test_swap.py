"""A connection changes from Airbyte's connector to ours and back: same configuration, state, records."""

from __future__ import annotations

import math
import re
import time
from pathlib import Path
from typing import Any

import pytest
from support.connector import Connector, Run, configure_catalog, stop_at_first_state
from support.simulator import Simulator
from upstream import START

SHARED = ["events", "active_users", "average_session_length", "annotations", "cohorts", "events_list"]
TIMES = (
    "event_time",
    "server_upload_time",
    "processed_time",
    "server_received_time",
    "user_creation_time",
    "client_upload_time",
    "client_event_time",
)
Record = dict[str, Any]


def read(connector: Connector, config: Record, mode: str, names: list[str], state: Any = None) -> Run:
    catalog = configure_catalog(connector.discover(config), mode, names)
    return connector.run("read", config=config, catalog=catalog, state=state)


def beyond_doubles_as_null(value: Any) -> Any:
    """A number that no double holds, such as 1e400, is null in their records; in ours it is written as it came."""
    if isinstance(value, dict):
        return {name: beyond_doubles_as_null(child) for name, child in value.items()}
    if isinstance(value, list):
        return [beyond_doubles_as_null(child) for child in value]
    return None if isinstance(value, float) and math.isinf(value) else value


def lost_by_them(simulator: Simulator) -> set[str]:
    """
    They compare times as text, with six digits of fraction: an event of the very second at which reading starts, written
    by Amplitude without a fraction, counts as earlier and is dropped.
    """
    start = time.strftime("%Y-%m-%d %H:%M:%S.000000", time.gmtime(START / 1000))
    return {event["uuid"] for event in simulator.truth() if event["server_upload_time"] < start}


def by_key(records: list[Record], key: str) -> dict[Any, Record]:
    return {record[key]: record for record in records}


def with_documented_differences(stream: str, record: Record) -> Record:
    """Their record as ours has it; every difference is listed in docs/migrate-from-airbyte.md."""
    if stream == "events":
        return {name: None if name in TIMES and value == "" else value for name, value in record.items()}
    return record


@pytest.mark.parametrize("stream", SHARED)
def test_records_are_equal(
    stream: str, their_connector: Connector, our_connector: Connector, config: Record, simulator: Simulator
) -> None:
    key = {"events": "uuid", "active_users": "date", "average_session_length": "date"}.get(stream, "id")
    theirs = read(their_connector, config, "full_refresh", [stream])
    ours = read(our_connector, config, "full_refresh", [stream])
    assert (theirs.code, ours.code) == (0, 0), ours.stdout[-2000:]
    their_records = by_key(theirs.records(stream), key)
    our_records = by_key(ours.records(stream), key)
    assert len(their_records) > 0
    lost = lost_by_them(simulator) if stream == "events" else set()
    assert set(our_records) == set(their_records) | lost
    for value, record in their_records.items():
        expected = with_documented_differences(stream, record)
        mine = beyond_doubles_as_null(our_records[value])
        if stream in ("annotations", "cohorts"):
            # Ours has more fields; each of theirs is there and equal.
            mine = {name: mine[name] for name in expected}
        assert mine == expected


def test_their_configuration_passes_our_check(our_connector: Connector, config: Record) -> None:
    assert our_connector.run("check", config=config).one("CONNECTION_STATUS")["connectionStatus"]["status"] == "SUCCEEDED"


def test_our_configuration_passes_their_check(their_connector: Connector, config: Record) -> None:
    ours = {
        **config,
        "end_date": "2999-01-01",
        "lookback_hours": 3,
        "project_timezone": "UTC",
        "on_malformed_line": "fail",
    }
    run = their_connector.run("check", config=ours)
    assert run.one("CONNECTION_STATUS")["connectionStatus"]["status"] == "SUCCEEDED"


@pytest.mark.parametrize("direction", ["theirs to ours", "ours to theirs"])
def test_events_go_on_in_mid_sync(
    direction: str,
    their_connector: Connector,
    our_connector: Connector,
    config: Record,
    simulator: Simulator,
    tmp_path: Path,
) -> None:
    """One connector is killed after its first state; the other goes on from that state. Together they have every event."""
    first, second = (
        (their_connector, our_connector) if direction == "theirs to ours" else (our_connector, their_connector)
    )
    catalog = configure_catalog(first.discover(config), "incremental", ["events"])
    process = first.start("read", tmp_path, config=config, catalog=catalog)
    messages = list(stop_at_first_state(process, "events"))
    before = {m["record"]["data"]["uuid"] for m in messages if m["type"] == "RECORD"}
    state = [message["state"] for message in messages if message["type"] == "STATE"][-1]

    run = read(second, config, "incremental", ["events"], [state])
    assert run.code == 0, run.stdout[-2000:]
    after = {record["uuid"] for record in run.records("events")}
    truth = {event["uuid"] for event in simulator.truth()}
    assert 0 < len(before) < len(truth)
    assert before | after | (lost_by_them(simulator) if first is their_connector else set()) == truth
    # Otherwise the state would have been ignored, and everything read from the start.
    assert after != truth


@pytest.mark.parametrize("stream", ["active_users", "average_session_length"])
@pytest.mark.parametrize("direction", ["theirs to ours", "ours to theirs"])
def test_daily_streams_go_on(
    direction: str, stream: str, their_connector: Connector, our_connector: Connector, config: Record
) -> None:
    first, second = (
        (their_connector, our_connector) if direction == "theirs to ours" else (our_connector, their_connector)
    )
    full = read(first, config, "incremental", [stream])
    again = read(second, config, "incremental", [stream], full.last_state())
    assert again.code == 0, again.stdout[-2000:]
    everything = {record["date"] for record in full.records(stream)}
    repeated = {record["date"] for record in again.records(stream)}
    # The last days are read again by both, because they change until they are over.
    assert 0 < len(repeated) < len(everything)
    assert max(repeated) == max(everything)


def test_states_count_their_records(our_connector: Connector, config: Record) -> None:
    """The platform compares `sourceStats.recordCount` with the records that it got since the stream's previous state."""
    run = read(our_connector, config, "incremental", ["events", "active_users", "new_users", "average_session_length"])
    since: dict[str, int] = {}
    states = 0
    for message in run.messages:
        if message["type"] == "RECORD":
            stream = message["record"]["stream"]
            since[stream] = since.get(stream, 0) + 1
        elif message["type"] == "STATE":
            stream = message["state"]["stream"]["stream_descriptor"]["name"]
            assert message["state"]["sourceStats"]["recordCount"] == since.pop(stream, 0), stream
            states += 1
    assert states > 4
    assert since == {}


def test_our_timestamps_are_written_as_theirs(our_connector: Connector, config: Record) -> None:
    records = read(our_connector, config, "full_refresh", ["events"]).records("events")
    written = [record[name] for record in records for name in TIMES if record[name] is not None]
    form = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00")
    assert [text for text in written if not form.fullmatch(text)] == []
    assert any("." not in text for text in written), "the simulator gives some times without a fraction"

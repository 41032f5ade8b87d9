"""What a user of PyAirbyte does, in both forms: check, read everything into DuckDB, look, read again."""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import airbyte as ab
import duckdb
import pytest
import sqlalchemy
from airbyte.caches import DuckDBCache
from airbyte.exceptions import AirbyteConnectorFailedError
from support.connector import EXECUTABLE, FAST_ENVIRONMENT, ROOT
from support.simulator import Simulator

MakeSource = Callable[[dict[str, Any]], ab.Source]
KEYS = {"events": "uuid", "annotations": "id", "cohorts": "id", "events_list": "id"} | dict.fromkeys(
    ["active_users", "new_users", "average_session_length"], "date"
)
EXAMPLE = ROOT / "docs" / "examples" / "pyairbyte.py"


def query(cache: DuckDBCache, sql: str) -> list[tuple[Any, ...]]:
    # Through the cache's own engine: DuckDB refuses a second connection with other settings.
    with cache.get_sql_engine().connect() as connection:
        return [tuple(row) for row in connection.execute(sqlalchemy.text(sql))]


def column_types(cache: DuckDBCache, table: str) -> dict[str, str]:
    return {row[0]: row[1] for row in query(cache, f"DESCRIBE amplitude.{table}")}


def loaded_hours(simulator: Simulator, config: dict[str, Any]) -> tuple[int, int]:
    """First and last hour (ms) that a read now delivers: from the start's hour to the last one that is complete."""
    now = simulator.get("now")["ms"]
    hour = 3_600_000
    days = int(config["start_date"][1:-1])
    return (now - days * 24 * hour) // hour * hour, now // hour * hour - 3 * hour


def expected_events(simulator: Simulator, config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    first, last = (time.strftime("%Y%m%dT%H", time.gmtime(ms / 1000)) for ms in loaded_hours(simulator, config))
    return {event["uuid"]: event for event in simulator.truth(start=first, end=last)}


def test_check_and_streams(make_source: MakeSource, config: dict[str, Any]) -> None:
    source = make_source(config)
    source.check()
    assert set(KEYS) <= set(source.get_available_streams())


def test_wrong_keys_fail_the_check(make_source: MakeSource, config: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="(?i)check|refused access"):
        make_source({**config, "secret_key": "wrong"}).check()


def test_everything_arrives_in_tables(
    make_source: MakeSource, config: dict[str, Any], cache: DuckDBCache, simulator: Simulator
) -> None:
    result = make_source(config).read(cache=cache)
    truth = expected_events(simulator, config)

    assert set(KEYS) <= set(result.streams)
    for table, key in KEYS.items():
        rows, keys = query(cache, f'SELECT count(*), count(DISTINCT "{key}") FROM amplitude.{table}')[0]
        assert rows == keys > 0, table
    assert {row[0] for row in query(cache, "SELECT uuid FROM amplitude.events")} == set(truth)

    types = column_types(cache, "events")
    times = [name for name in types if name.endswith("_time")]
    assert len(times) == 7
    assert {types[name] for name in times} == {"TIMESTAMP"}
    assert {types[name] for name in ("event_properties", "user_properties", "groups", "data", "plan")} == {"JSON"}
    assert (types["event_id"], types["amplitude_id"]) == ("BIGINT", "BIGINT")
    assert column_types(cache, "average_session_length")["date"] == "DATE"
    assert column_types(cache, "active_users")["date"] == "DATE"

    stored = query(cache, "SELECT uuid, server_upload_time, event_properties, amplitude_id FROM amplitude.events")
    for uuid, uploaded, properties, amplitude_id in stored:
        event = truth[uuid]
        assert uploaded == datetime.datetime.fromisoformat(event["server_upload_time"])
        assert as_stored(properties) == event["event_properties"]
        assert amplitude_id == event["amplitude_id"]
    # The simulator puts such numbers into some events; without one the comparison above would prove nothing.
    assert any(has_integer_beyond_doubles(event["event_properties"]) for event in truth.values())


def as_stored(value: Any) -> Any:
    """DuckDB's driver gives JSON columns as text or parsed, depending on its version."""
    return json.loads(value) if isinstance(value, str) else value


def has_integer_beyond_doubles(value: Any) -> bool:
    if isinstance(value, dict):
        return any(has_integer_beyond_doubles(child) for child in value.values())
    if isinstance(value, list):
        return any(has_integer_beyond_doubles(child) for child in value)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53


def test_a_second_read_adds_what_is_new(
    make_source: MakeSource,
    config: dict[str, Any],
    cache: DuckDBCache,
    simulator: Simulator,
    let_a_day_pass: Callable[[], None],
    request: pytest.FixtureRequest,
) -> None:
    if "image" in request.node.name:
        # A container's clock cannot be moved; the end of reading moves instead.
        config = {**config, "end_date": "PT24H"}
    make_source(config).read(cache=cache)
    before = {row[0] for row in query(cache, "SELECT uuid FROM amplitude.events")}
    simulator.post("reset", {})
    if "image" in request.node.name:
        del config["end_date"]
    else:
        let_a_day_pass()
    make_source(config).read(cache=cache)

    truth = set(expected_events(simulator, config))
    after = [row[0] for row in query(cache, "SELECT uuid FROM amplitude.events")]
    assert len(after) == len(set(after))
    assert set(after) == before | truth
    assert len(after) > len(before)
    # A day in windows of six hours, and three hours of lookback: what was read before is not asked for again.
    requests = simulator.get("requests")["requests"]
    assert len([request for request in requests if request["path"] == "/api/2/export"]) <= 6


def test_a_limit_ends_the_read_in_peace(make_source: MakeSource, config: dict[str, Any]) -> None:
    source = make_source(config)
    assert len(list(source.get_records("cohorts", limit=2))) == 2
    assert len(list(source.get_records("events", limit=5))) == 5


def test_a_failing_stream_fails_the_read_and_spares_the_others(
    make_source: MakeSource, config: dict[str, Any], cache: DuckDBCache, simulator: Simulator
) -> None:
    simulator.post("settings", {"quirks": {"denied": ["/api/3/cohorts"]}})
    with pytest.raises(AirbyteConnectorFailedError):
        make_source(config).read(cache=cache)
    simulator.post("settings", {"quirks": {"denied": []}})
    make_source(config).read(cache=cache)
    assert query(cache, "SELECT count(*) FROM amplitude.cohorts")[0][0] > 0
    assert {row[0] for row in query(cache, "SELECT uuid FROM amplitude.events")} == set(
        expected_events(simulator, config)
    )


def run_example(config: dict[str, Any], folder: Path) -> subprocess.Popen[str]:
    (folder / "config.json").write_text(json.dumps(config))
    return subprocess.Popen(
        [sys.executable, str(EXAMPLE), str(folder / "config.json"), str(folder / "cache.duckdb")],
        env={**os.environ, **FAST_ENVIRONMENT, "CONNECTOR_PROGRAM": str(EXECUTABLE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_an_interrupted_read_is_completed_by_the_next(
    config: dict[str, Any], simulator: Simulator, tmp_path: Path
) -> None:
    """The example of the documentation, killed in the middle of the events and run again."""
    match = {"path": "/api/2/export", "nth": 4}
    simulator.post("fault", {"match": match, "action": "stall-mid-body"})
    process = run_example(config, tmp_path)
    while simulator.get("faults")["injected"] == 0:
        assert process.poll() is None, process.communicate()[0][-3000:]
        time.sleep(0.1)
    # The whole group: PyAirbyte and the connector, as when a machine goes down.
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    simulator.post("reset", {})
    again = run_example(config, tmp_path)
    output, _ = again.communicate(timeout=300)
    assert again.returncode == 0, output[-3000:]
    assert "events: " in output
    with duckdb.connect(str(tmp_path / "cache.duckdb")) as connection:
        uuids = [row[0] for row in connection.execute("SELECT uuid FROM amplitude.events").fetchall()]
    assert len(uuids) == len(set(uuids))
    assert set(uuids) == set(expected_events(simulator, config))

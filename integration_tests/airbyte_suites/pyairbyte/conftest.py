"""Sources for PyAirbyte, as a program and as an image, and a simulator that both can reach."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import airbyte as ab
import pytest
from airbyte.caches import DuckDBCache
from support import image
from support.connector import BREAKER, EXECUTABLE, FAST_ENVIRONMENT, SUITES
from support.simulator import DAY_MS, Simulator, format_hour, midnight, run_simulator

SCHEMA = "amplitude"


@pytest.fixture(scope="session")
def running_simulator() -> Iterator[Simulator]:
    """Five days of data of which the last two are still to come."""
    options = ("--start", format_hour(midnight(2)), "--days", "5", "--events-per-hour", "5")
    with run_simulator(*options, host=image.bridge_address()) as simulator:
        yield simulator


@pytest.fixture
def simulator(running_simulator: Simulator) -> Simulator:
    """As it was at its start: no faults, an empty request log, and the real time."""
    running_simulator.post("reset", {})
    return running_simulator


@pytest.fixture
def config(simulator: Simulator) -> dict[str, Any]:
    return simulator.config(start_date="P2D", request_time_range=6)


@pytest.fixture
def cache(tmp_path: Path) -> DuckDBCache:
    return DuckDBCache(db_path=tmp_path / "cache.duckdb", schema_name=SCHEMA)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in FAST_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    # PyAirbyte keeps files of its own beside the project; a copy of nothing keeps tests apart.
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=["program", "image"])
def make_source(request: pytest.FixtureRequest) -> Callable[[dict[str, Any]], ab.Source]:
    if request.param == "image":
        connector: dict[str, Any] = {"docker_image": image.image_under_test()}
    else:
        connector = {"local_executable": BREAKER if "BREAK" in os.environ else EXECUTABLE}
    return lambda config: ab.get_source("source-amplitude", config=config, streams="*", **connector)


@pytest.fixture
def let_a_day_pass(monkeypatch: pytest.MonkeyPatch, simulator: Simulator) -> Callable[[], None]:
    """Moves the simulator's clock, and that of every Node program that is started afterwards."""

    def move() -> None:
        simulator.set_now(simulator.get("now")["ms"] + DAY_MS)
        monkeypatch.setenv("NODE_OPTIONS", f"--require={SUITES / 'shift-clock.js'}")
        monkeypatch.setenv("CLOCK_SHIFT_MS", str(DAY_MS))

    return move

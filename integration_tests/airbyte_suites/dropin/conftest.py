from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from support.connector import Connector, broken, ours
from support.simulator import NO_LIMITS, Simulator, format_hour, format_time, run_simulator
from upstream import DAYS, START, upstream


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    options = ("--start", format_hour(START), "--days", str(DAYS), "--events-per-hour", "10")
    with run_simulator(*options, settings=NO_LIMITS) as simulator:
        yield simulator


@pytest.fixture
def config(simulator: Simulator) -> dict[str, Any]:
    """As it was saved for Airbyte's connector: its six keys, and `base_url`, which that one ignores but for this suite."""
    return simulator.config(
        data_region="Standard Server",
        start_date=format_time(START),
        request_time_range=24,
        active_users_group_by_country=True,
    )


@pytest.fixture
def their_connector(simulator: Simulator) -> Connector:
    return upstream(simulator.url)


@pytest.fixture
def our_connector() -> Connector:
    return broken(os.environ["BREAK"]) if "BREAK" in os.environ else ours()

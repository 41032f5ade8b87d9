"""The simulator of Amplitude (simulator/) as a process, steered by its control endpoints."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from support.connector import ROOT

API_KEY = "0123456789abcdef0123456789abcdef"
SECRET_KEY = "fedcba9876543210fedcba9876543210"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
# Airbyte's published connector keeps to none of Amplitude's limits, so that they are lifted where it takes part.
NO_LIMITS = {"maxInFlight": 1000, "cost": {"perWindow": 10**9, "perHour": 10**9}}


class Simulator:
    def __init__(self, url: str) -> None:
        self.url = url

    def config(self, **changes: Any) -> dict[str, Any]:
        return {"api_key": API_KEY, "secret_key": SECRET_KEY, "base_url": self.url, **changes}

    def get(self, what: str, **query: Any) -> Any:
        with urlopen(f"{self.url}/_control/{what}?{urlencode(query)}", timeout=60) as answer:
            return json.load(answer)

    def post(self, what: str, body: dict[str, Any]) -> None:
        request = Request(f"{self.url}/_control/{what}", data=json.dumps(body).encode(), method="POST")
        with urlopen(request, timeout=60) as answer:
            assert answer.status == 200

    def truth(self, **query: Any) -> list[dict[str, Any]]:
        """The events behind the export, as its lines say: Python keeps integers of any size."""
        with urlopen(f"{self.url}/_control/truth?{urlencode(query)}", timeout=60) as answer:
            return [json.loads(line) for line in answer.read().decode().split("\n") if line]

    def set_now(self, ms: int) -> None:
        self.post("now", {"ms": ms})


@contextmanager
def run_simulator(*options: str, settings: dict[str, Any] | None = None, host: str = "127.0.0.1") -> Iterator[Simulator]:
    """Starts a simulator on a free port of `host` and ends it, and only it, afterwards."""
    command = ["node", "-r", "ts-node/register", "simulator/main.ts", "--host", host, *options]
    if settings is not None:
        command += ["--settings", json.dumps(settings)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://"), f"the simulator did not start ({process.poll()})"
        yield Simulator(url)
    finally:
        process.terminate()
        code = process.wait(timeout=20)
    assert code == 0, f"the simulator itself failed ({code})"


def format_hour(ms: int) -> str:
    return time.strftime("%Y%m%dT%H", time.gmtime(ms / 1000))


def format_time(ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms / 1000))


def midnight(days_back: int) -> int:
    """Start of the UTC day so many days ago, in ms."""
    today = int(time.time() * 1000) // DAY_MS * DAY_MS
    return today - days_back * DAY_MS

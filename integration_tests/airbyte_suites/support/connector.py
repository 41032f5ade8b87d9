"""Runs a connector as a process and reads what it wrote, as the platform does."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
SUITES = ROOT / "integration_tests" / "airbyte_suites"
# CONNECTOR_PROGRAM lets the suites judge another build than the one in this checkout.
EXECUTABLE = Path(os.environ.get("CONNECTOR_PROGRAM", ROOT / "bin" / "source-amplitude"))
BREAKER = SUITES / "break-output.js"

# The defaults are made for Amplitude: five seconds of back-off, one export a second. The simulator needs no such care.
FAST_ENVIRONMENT = {
    "AMPLITUDE_RETRY_BASE_SECONDS": "0.05",
    "AMPLITUDE_COST_WINDOW_SECONDS": "1",
    "AMPLITUDE_PACE_SECONDS": "0.01",
}


@dataclass
class Run:
    """
    One finished run. Lines are split as Python's `str.splitlines` does, which is how Airbyte's suites do it. Airbyte's
    published connector does not survive that: it leaves U+2028 in its records as it is.
    """

    code: int
    stdout: str
    stderr: str
    only_newlines: bool = False
    messages: list[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        lines = self.stdout.split("\n") if self.only_newlines else self.stdout.splitlines()
        self.messages = [json.loads(line) for line in lines if line]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == kind]

    def records(self, stream: str) -> list[dict[str, Any]]:
        return [m["record"]["data"] for m in self.of_type("RECORD") if m["record"]["stream"] == stream]

    def states(self, stream: str) -> list[dict[str, Any]]:
        found = (m["state"] for m in self.of_type("STATE"))
        return [state for state in found if state["stream"]["stream_descriptor"]["name"] == stream]

    def last_state(self) -> list[dict[str, Any]]:
        """What the platform would pass as `--state` next time: the last state of each stream."""
        latest = {m["state"]["stream"]["stream_descriptor"]["name"]: m["state"] for m in self.of_type("STATE")}
        return list(latest.values())

    def one(self, kind: str) -> dict[str, Any]:
        found = self.of_type(kind)
        assert len(found) == 1, f"{len(found)} messages of type {kind}; stderr: {self.stderr[-2000:]}"
        return found[0]


def stop_at_first_state(run: subprocess.Popen[str], stream: str) -> Iterator[dict[str, Any]]:
    """The messages up to and including the first STATE of a stream; the process is then killed in mid-sync."""
    assert run.stdout is not None
    for line in run.stdout:
        message = json.loads(line)
        yield message
        if message["type"] == "STATE" and message["state"]["stream"]["stream_descriptor"]["name"] == stream:
            break
    run.kill()
    run.wait()


@dataclass(frozen=True)
class Connector:
    """A connector that is started by a command line; the files it needs are written for each run."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    only_newlines: bool = False

    def run(self, verb: str, **files: Any) -> Run:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                self._arguments(verb, Path(folder), files), env=self._env(), capture_output=True, text=True, timeout=600
            )
        return Run(done.returncode, done.stdout, done.stderr, self.only_newlines)

    def start(self, verb: str, folder: Path, **files: Any) -> subprocess.Popen[str]:
        arguments = self._arguments(verb, folder, files)
        return subprocess.Popen(arguments, env=self._env(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def spec(self) -> dict[str, Any]:
        return self.run("spec").one("SPEC")["spec"]

    def discover(self, config: Mapping[str, Any]) -> dict[str, Any]:
        return self.run("discover", config=config).one("CATALOG")["catalog"]

    def _env(self) -> dict[str, str]:
        return {**os.environ, **self.environment}

    def _arguments(self, verb: str, folder: Path, files: Mapping[str, Any]) -> list[str]:
        arguments = [*self.command, verb]
        for name, content in files.items():
            if content is None:
                continue
            path = folder / f"{name}.json"
            path.write_text(json.dumps(content))
            arguments += [f"--{name}", str(path)]
        return arguments


def ours(environment: Mapping[str, str] = {}) -> Connector:
    return Connector((str(EXECUTABLE),), {**FAST_ENVIRONMENT, **environment})


def broken(mode: str) -> Connector:
    """Ours behind a filter that spoils one thing in its output, to show that a suite notices."""
    return Connector((str(BREAKER),), {**FAST_ENVIRONMENT, "BREAK": mode, "BREAK_PROGRAM": str(EXECUTABLE)})


def configure_catalog(catalog: Mapping[str, Any], sync_mode: str, names: list[str] | None = None) -> dict[str, Any]:
    """A configured catalog of the discovered streams that support the mode."""
    return {
        "streams": [
            {
                "stream": stream,
                "sync_mode": sync_mode,
                "destination_sync_mode": "append_dedup" if sync_mode == "incremental" else "overwrite",
                "cursor_field": stream.get("default_cursor_field"),
                "primary_key": stream.get("source_defined_primary_key"),
            }
            for stream in catalog["streams"]
            if sync_mode in stream["supported_sync_modes"] and (names is None or stream["name"] in names)
        ]
    }

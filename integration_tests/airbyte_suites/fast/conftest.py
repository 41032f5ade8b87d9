"""Gives Airbyte's standard tests a simulator to talk to, an image, and a runner for a program that is not Python."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack

import pytest
from airbyte_cdk.test import entrypoint_wrapper
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput
from airbyte_cdk.test.standard_tests import pytest_hooks
from airbyte_cdk.test.standard_tests.pytest_hooks import (  # noqa: F401  (fixtures of the standard tests)
    connector_base_image_override,
    pytest_generate_tests,
    read_from_streams,
    read_scenarios,
)
from support import image
from support.connector import BREAKER, EXECUTABLE, FAST_ENVIRONMENT
from support.simulator import run_simulator

resources = ExitStack()
# Which of the connector's commands a standard test needs; tests of the others would only report that they are skipped.
COMMAND_OF_TEST = {
    "config_matches_spec": "spec",
    "check": "check",
    "discover": "discover",
    "read": "read",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    pytest_hooks.pytest_addoption(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Before collection, because the scenarios are made there and hold the simulator's address."""
    options = ("--start", "20240301T00", "--days", "3", "--events-per-hour", "2")
    simulator = resources.enter_context(run_simulator(*options, host=image.bridge_address()))
    os.environ["SIMULATOR_URL"] = simulator.url
    # Every stream is read. The documented `--read-scenarios=all` does not work in this version: it takes "all" for a name.
    config.option.read_from_streams = "all"
    config.option.read_scenarios = "sample_config"


def pytest_unconfigure() -> None:
    resources.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted, others = [], []
    for item in items:
        scenario = item.callspec.params.get("scenario") if hasattr(item, "callspec") else None
        command = next((c for part, c in COMMAND_OF_TEST.items() if part in item.name.split("[")[0]), None)
        (wanted if scenario is None or command is None or scenario.runs(command) else others).append(item)
    items[:] = wanted
    config.hook.pytest_deselected(items=others)


@pytest.fixture(scope="session")
def connector_image() -> str:
    return image.image_under_test()


@pytest.fixture
def connector_image_override(request: pytest.FixtureRequest, connector_image: str) -> str:
    return request.config.getoption("--connector-image") or connector_image


def run_program(source, args, expecting_exception=None, *, expected_outcome=None) -> EntrypointOutput:
    """Takes the place of the standard tests' in-process call: the connector is a program, not a Python class."""
    program = BREAKER if "BREAK" in os.environ else EXECUTABLE
    command = [str(program), *args]
    environment = {"BREAK_PROGRAM": str(EXECUTABLE), **os.environ, **FAST_ENVIRONMENT}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    failure = subprocess.CalledProcessError(done.returncode, command) if done.returncode != 0 else None
    return EntrypointOutput(
        messages=done.stdout.splitlines(), command=command, stderr=done.stderr, uncaught_exception=failure
    )


@pytest.fixture(autouse=True)
def programs_instead_of_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrypoint_wrapper, "_run_command", run_program)

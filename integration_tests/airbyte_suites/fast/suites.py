"""What Airbyte's suites need to know of this connector. Their factory knows only Java, Python and manifests."""

from __future__ import annotations

import json
import os
from pathlib import Path

from airbyte_cdk.test.models import ConnectorTestScenario
from support.connector import ROOT


class AgainstSimulator:
    """Mixed into a suite: the scenarios of acceptance-test-config.yml, pointed at the simulator."""

    @classmethod
    def get_connector_root_dir(cls) -> Path:
        return ROOT

    @classmethod
    def get_scenarios(cls) -> list[ConnectorTestScenario]:
        scenarios = []
        for scenario in super().get_scenarios():
            config = json.loads((ROOT / scenario.config_path).read_text())
            config["base_url"] = os.environ["SIMULATOR_URL"]
            scenarios.append(scenario.model_copy(update={"config_dict": config}))
        return scenarios


class Program:
    """Stands for the connector in the source suite, which asks for an object with `spec`; see conftest.py."""

    def spec(self, logger: object) -> None:
        raise AssertionError("the suite must go through conftest.run_program")

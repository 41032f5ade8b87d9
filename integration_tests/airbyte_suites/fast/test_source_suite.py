"""Airbyte's standard tests of a source, against the executable."""

import pytest
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase
from suites import AgainstSimulator, Program


class TestSource(AgainstSimulator, SourceTestSuiteBase):
    connector = Program

    # The source suite inherits the image's tests; they run once, in test_docker_suite.py.
    test_docker_image_build_and_spec = None
    test_docker_image_spec_backward_compatibility = None
    test_docker_image_build_and_check = None
    test_docker_image_build_and_config_matches_spec = None
    test_docker_image_build_and_discover = None
    test_docker_image_build_and_read = None


@pytest.mark.parametrize("command", ["discover", "read"])
def test_a_read_with_wrong_keys_fails(command: str) -> None:
    """Check 56: the standard tests demand it of configurations that are declared `failed`, as `discover` or as `read`."""
    import json
    import os

    from support.connector import ROOT, configure_catalog, ours

    config = json.loads((ROOT / "integration_tests" / "invalid_config.json").read_text())
    config["base_url"] = os.environ["SIMULATOR_URL"]
    catalog = configure_catalog(ours().discover(config), "full_refresh")
    run = ours().run("read", config=config, catalog=catalog)
    errors = [m["trace"]["error"] for m in run.of_type("TRACE") if m["trace"]["type"] == "ERROR"]
    assert run.code == 1
    assert {error["failure_type"] for error in errors} == {"config_error"}
    assert run.of_type("RECORD") == []

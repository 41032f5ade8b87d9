"""Shows that both suites can fail: the same tests run on a connector with one thing spoiled."""

from pathlib import Path

import pytest
from support.image import build_broken_image
from support.inner_pytest import failing_tests

HERE = Path(__file__).parent
CATALOG_WARNINGS = ("-W", "error::airbyte_cdk.test.standard_tests.DiscoveredCatalogWarning")


@pytest.mark.parametrize(
    ("mode", "test"),
    [
        ("status", "test_check"),
        ("schema type", "test_basic_read"),
        ("invalid schema", "test_discover"),
    ],
)
def test_the_source_suite_notices(mode: str, test: str) -> None:
    file = HERE / "test_source_suite.py"
    assert failing_tests(file, *CATALOG_WARNINGS, "-k", f"TestSource and {test}", environment={"BREAK": mode}) == {test}


@pytest.mark.parametrize(
    ("mode", "test"),
    [
        ("status", "test_docker_image_build_and_check"),
        ("false failure", "test_docker_image_build_and_read"),
    ],
)
def test_the_image_suite_notices(mode: str, test: str, connector_image: str, tmp_path: Path) -> None:
    broken = build_broken_image(connector_image, mode, tmp_path)
    file = HERE / "test_docker_suite.py"
    assert failing_tests(file, "-k", test, "--connector-image", broken, environment={}) == {test}

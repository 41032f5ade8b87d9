"""Shows that the suite can fail: the same tests run on a connector with one thing spoiled."""

from pathlib import Path

import pytest
from support.connector import EXECUTABLE
from support.inner_pytest import failing_tests


@pytest.mark.parametrize(
    ("mode", "test"),
    [("status", "test_check_and_streams"), ("schema type", "test_everything_arrives_in_tables")],
)
def test_the_suite_notices(mode: str, test: str) -> None:
    file = Path(__file__).parent / "test_pyairbyte.py"
    environment = {"BREAK": mode, "BREAK_PROGRAM": str(EXECUTABLE)}
    assert failing_tests(file, "-k", f"{test} and program", environment=environment) == {test}

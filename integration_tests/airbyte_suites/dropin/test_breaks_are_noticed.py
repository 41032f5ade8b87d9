"""Shows that the suite can fail: the same tests run on a connector with one thing spoiled."""

from pathlib import Path

import pytest
from support.connector import EXECUTABLE
from support.inner_pytest import failing_tests


@pytest.mark.parametrize(
    ("mode", "file", "test"),
    [
        ("state count", "test_swap.py", "test_states_count_their_records"),
        ("status", "test_swap.py", "test_their_configuration_passes_our_check"),
        ("schema type", "test_catalog.py", "test_nothing_of_theirs_is_missing"),
    ],
)
def test_the_suite_notices(mode: str, file: str, test: str) -> None:
    environment = {"BREAK": mode, "BREAK_PROGRAM": str(EXECUTABLE)}
    assert failing_tests(Path(__file__).parent / file, "-k", test, environment=environment) == {test}

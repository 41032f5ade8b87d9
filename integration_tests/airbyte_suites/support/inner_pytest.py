"""Runs a suite again on a connector that is broken on purpose, to show which of its tests fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from support.connector import ROOT, SUITES


def failing_tests(test_file: Path, *arguments: str, environment: dict[str, str]) -> set[str]:
    """Names of the tests that failed, without their parameters. Nothing but passed and failed tests is accepted."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", str(SUITES / "pytest.ini"), "-p", "no:cacheprovider", "-rfE"]
        + [*arguments, str(test_file)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )
    # 0: all passed, 1: some failed; everything else means that the tests did not run.
    assert done.returncode in (0, 1), done.stdout[-3000:] + done.stderr[-3000:]
    assert not re.search(r"^ERROR ", done.stdout, re.MULTILINE), done.stdout[-3000:]
    return set(re.findall(r"^FAILED \S+::(\w+)", done.stdout, re.MULTILINE))

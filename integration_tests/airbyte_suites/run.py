#!/usr/bin/env python3
"""Runs Airbyte's own suites against this connector: `npm run test:airbyte`.

Each suite has a Python environment of its own, because Airbyte's published connector needs another version of the CDK
than the standard tests do. The environments are made on the first run and kept in `.venv/` (elsewhere with
AIRBYTE_SUITES_VENVS). Needs Python 3.10 or 3.11, which is what the published connector asks for, Docker, and PyPI.

    run.py [--suite fast|pyairbyte|dropin]... [--write-comparison] [-- pytest arguments]
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SUITES = ("fast", "pyairbyte", "dropin")
SHOWN_PACKAGES = ("airbyte", "airbyte-cdk", "airbyte-source-amplitude", "duckdb", "pytest")


def find_python() -> str:
    for name in (sys.executable, "python3.11", "python3.10"):
        path = shutil.which(name)
        if path is None:
            continue
        version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
        if re.match(r"Python 3\.1[01]\.", version):
            return path
    sys.exit("test:airbyte needs Python 3.10 or 3.11: Airbyte's published connector does not install on others.")


def prepare_environment(suite: str) -> Path:
    """Returns the suite's interpreter, in an environment that holds exactly what its requirements file says."""
    requirements = HERE / f"requirements-{suite}.txt"
    folder = Path(os.environ.get("AIRBYTE_SUITES_VENVS", HERE / ".venv")) / suite
    interpreter = folder / "bin" / "python"
    stamp = folder / "requirements.txt"
    if not (stamp.exists() and stamp.read_text() == requirements.read_text()):
        print(f"{suite}: making its environment", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([find_python(), "-m", "venv", str(folder)], check=True)
        pip = [str(interpreter), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "-r", str(requirements)], check=True)
        shutil.copyfile(requirements, stamp)
    return interpreter


def list_versions(interpreter: Path) -> str:
    listing = subprocess.run(
        [str(interpreter), "-m", "pip", "--disable-pip-version-check", "list", "--format=freeze"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    versions = dict(line.split("==", 1) for line in listing.splitlines() if "==" in line)
    return ", ".join(f"{name} {versions[name]}" for name in SHOWN_PACKAGES if name in versions)


def run_suite(suite: str, pytest_arguments: list[str], environment: dict[str, str]) -> tuple[int, str]:
    interpreter = prepare_environment(suite)
    report = HERE / ".cache" / f"{suite}.txt"
    report.parent.mkdir(exist_ok=True)
    since = time.monotonic()
    catalog_warnings = ["-W", "error::airbyte_cdk.test.standard_tests.DiscoveredCatalogWarning"] if suite == "fast" else []
    folder = os.environ.get("TEST_RESULTS_DIR")
    results = [f"--junitxml={folder}/{suite}.xml"] if folder else []
    # The packages under test may not reach for their vendor's servers, and may not report home.
    process = subprocess.Popen(
        [str(interpreter), "-m", "pytest", "-c", str(HERE / "pytest.ini"), "-p", "no:cacheprovider", "-ra"]
        + [*catalog_warnings, *results, *pytest_arguments, str(HERE / suite)],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(HERE), "AIRBYTE_OFFLINE_MODE": "1", "DO_NOT_TRACK": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    last = ""
    with report.open("w") as file:
        for line in process.stdout:
            sys.stdout.write(line)
            file.write(line)
            if re.search(r"\d+ (passed|failed|error)", line):
                last = line.strip(" =\n")
    code = process.wait()
    print(f"{suite}: {time.monotonic() - since:.0f} s", flush=True)
    return code, f"{suite}: {last or f'pytest ended with {code}'} ({list_versions(interpreter)})"


def main() -> int:
    own = sys.argv[1:]
    cut = own.index("--") if "--" in own else len(own)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", action="append", choices=SUITES, help="one suite only; may be given several times")
    parser.add_argument("--write-comparison", action="store_true", help="write docs/comparison.md anew")
    arguments = parser.parse_args(own[:cut])
    environment = dict(os.environ)
    if arguments.write_comparison:
        environment["WRITE_COMPARISON"] = "1"
    results = [run_suite(suite, own[cut + 1 :], environment) for suite in arguments.suite or SUITES]
    print("\n" + "\n".join(line for _, line in results))
    return max(code for code, _ in results)


if __name__ == "__main__":
    sys.exit(main())

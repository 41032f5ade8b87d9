"""The image under test, and the address by which containers reach this machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from support.connector import BREAKER, ROOT

TAG = "source-amplitude:airbyte-suites"


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {(done.stdout + done.stderr)[-600:]}"
    return done.stdout.strip()


def bridge_address() -> str:
    """This machine's address on Docker's default network: reachable from containers and from here."""
    return docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")


def image_under_test() -> str:
    """CONNECTOR_IMAGE, or an image built from this checkout; layers that did not change are taken from the cache."""
    given = os.environ.get("CONNECTOR_IMAGE")
    if given:
        return given
    docker("build", "--quiet", "--tag", TAG, str(ROOT))
    return TAG


def build_broken_image(image: str, mode: str, folder: Path) -> str:
    """The image with one thing in its output spoiled; see break-output.js."""
    tag = f"source-amplitude:broken-{mode.replace(' ', '-')}"
    entrypoint = docker("inspect", "--format", "{{index .Config.Entrypoint 0}}", image)
    (folder / "break-output.js").write_bytes(BREAKER.read_bytes())
    (folder / "Dockerfile").write_text(
        f"FROM {image}\n"
        "COPY break-output.js /break-output.js\n"
        f'ENV BREAK="{mode}" BREAK_PROGRAM={entrypoint}\n'
        'ENTRYPOINT ["node", "/break-output.js"]\n'
    )
    docker("build", "--quiet", "--tag", tag, str(folder))
    return tag

"""Airbyte's published connector, pointed at the simulator.

It has no setting for the host, so the two places in the installed package that name it are changed: this environment is
the suite's own.
"""

from __future__ import annotations

import sys
from pathlib import Path

import source_amplitude
from support.connector import Connector
from support.simulator import midnight

# The days that both connectors read; they ended a day ago, so that neither meets hours that are still being loaded.
DAYS = 3
START = midnight(DAYS + 1)

PACKAGE = Path(source_amplitude.__path__[0])
HOST_VARIABLE = "UPSTREAM_BASE_URL"
MANIFEST_HOST = """    url_base:
      "https://{{'analytics.eu.' if config['data_region'] == 'EU Residency
      Server' else '' }}amplitude.com/api"
"""
STREAMS_HOST = 'return f"https://{subdomain}amplitude.com/api/"'


def redirect_host() -> None:
    replace(PACKAGE / "manifest.yaml", MANIFEST_HOST, "    url_base: \"{{ config['base_url'] }}/api\"\n")
    replace(
        PACKAGE / "streams.py", STREAMS_HOST, f'import os; return os.environ["{HOST_VARIABLE}"] + "/api/"  # redirected'
    )


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    if new in text:
        return
    assert text.count(old) == 1, f"{path} is not the one of 0.6.19"
    path.write_text(text.replace(old, new))


def upstream(base_url: str) -> Connector:
    redirect_host()
    program = str(Path(sys.executable).parent / "source-amplitude")
    return Connector((program,), {HOST_VARIABLE: base_url}, only_newlines=True)

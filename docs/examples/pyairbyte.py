"""Loads an Amplitude project into a DuckDB file with PyAirbyte: python docs/examples/pyairbyte.py config.json amplitude.duckdb

Needs `pip install airbyte`. Run it again to add what is new: the state is kept in the same file.
The connector is the program in this checkout (npm ci && npm run build), or an image that AMPLITUDE_IMAGE names.
"""

import json
import os
import sys
from pathlib import Path

import airbyte as ab
from airbyte.caches import DuckDBCache

PROGRAM = Path(__file__).resolve().parents[2] / "bin" / "source-amplitude"


def main(config_path: str, database: str) -> None:
    image = os.environ.get("AMPLITUDE_IMAGE")
    connector = {"docker_image": image} if image else {"local_executable": os.environ.get("CONNECTOR_PROGRAM", PROGRAM)}
    source = ab.get_source(
        "source-amplitude",
        config=json.loads(Path(config_path).read_text()),
        streams="*",
        **connector,
    )
    source.check()
    result = source.read(cache=DuckDBCache(db_path=database, schema_name="amplitude"))
    for name, dataset in sorted(result.streams.items()):
        print(f"{name}: {len(dataset)} rows")


if __name__ == "__main__":
    main(*sys.argv[1:])

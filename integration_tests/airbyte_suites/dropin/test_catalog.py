"""`discover` and `spec` against those of Airbyte's published connector."""

from __future__ import annotations

import copy
import json
import os
import re
from importlib.metadata import version
from typing import Any

import pytest
from comparison import compare_streams, losses, write_page
from support.connector import ROOT, Connector

PAGE = ROOT / "docs" / "comparison.md"
FACTS = ROOT / "test" / "fixtures" / "upstream-0.6.19.json"
PROSE = ("title", "description", "examples", "$schema")


def without_prose(value: Any, in_properties: bool = False) -> Any:
    if isinstance(value, dict):
        return {
            name: without_prose(child, name == "properties" and not in_properties)
            for name, child in value.items()
            if in_properties or name not in PROSE
        }
    return [without_prose(child) for child in value] if isinstance(value, list) else value


def without_layout(page: str) -> str:
    """The formatter pads the columns of tables."""
    return re.sub(r"[ -]+", " ", page)


def test_nothing_of_theirs_is_missing(
    their_connector: Connector, our_connector: Connector, config: dict[str, Any]
) -> None:
    ours = {stream["name"]: stream for stream in our_connector.discover(config)["streams"]}
    theirs = their_connector.discover(config)["streams"]
    assert len(theirs) == 6
    assert {stream["name"] for stream in theirs} <= set(ours)
    assert [loss for stream in theirs for loss in losses(compare_streams(stream, ours[stream["name"]]))] == []


def test_the_comparison_page_is_current(
    their_connector: Connector, our_connector: Connector, config: dict[str, Any]
) -> None:
    page = write_page(
        their_connector.discover(config)["streams"],
        our_connector.discover(config)["streams"],
        version("airbyte-source-amplitude"),
    )
    if os.environ.get("WRITE_COMPARISON"):
        PAGE.write_text(page)
    assert without_layout(PAGE.read_text()) == without_layout(page), "run npm run test:airbyte -- --suite dropin --write-comparison"


def test_the_stored_facts_are_what_their_connector_prints(their_connector: Connector, config: dict[str, Any]) -> None:
    """The tests that run without Python compare with this file."""
    facts = json.loads(FACTS.read_text())
    assert facts["connectionSpecification"] == without_prose(their_connector.spec()["connectionSpecification"])
    streams = their_connector.discover(config)["streams"]
    assert facts["streams"] == [{**stream, "json_schema": without_prose(stream["json_schema"])} for stream in streams]


@pytest.mark.parametrize(
    "damage",
    [
        lambda stream: stream["json_schema"]["properties"].pop("uuid"),
        lambda stream: stream["json_schema"]["properties"]["user_id"].update(type="string"),
        lambda stream: stream["json_schema"]["properties"]["event_time"].pop("format"),
        lambda stream: stream["json_schema"]["properties"]["plan"]["properties"].pop("branch"),
        lambda stream: stream.update(source_defined_primary_key=[["event_id"]]),
        lambda stream: stream.update(default_cursor_field=["event_time"]),
        lambda stream: stream.update(supported_sync_modes=["full_refresh"]),
    ],
)
def test_the_comparison_notices(damage: Any) -> None:
    """Not even their own catalog passes once something is taken away from it."""
    events = next(s for s in json.loads(FACTS.read_text())["streams"] if s["name"] == "events")
    changed = copy.deepcopy(events)
    damage(changed)
    assert losses(compare_streams(events, events)) == []
    assert len(losses(compare_streams(events, changed))) == 1

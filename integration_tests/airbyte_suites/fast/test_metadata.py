"""metadata.yaml, the spec and the image's labels, by the models and rules of Airbyte's registry."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from airbyte_cdk.models.connector_metadata import MetadataFile
from airbyte_cdk.test.standard_tests._spec_compatibility import compare_specs
from pydantic import ValidationError
from support.connector import ROOT, ours
from support.image import docker

METADATA = ROOT / "metadata.yaml"
# Which keys the registry knows in `data`; it refuses others.
REQUIRED = {
    "name",
    "definitionId",
    "connectorType",
    "dockerRepository",
    "dockerImageTag",
    "license",
    "documentationUrl",
    "githubIssueLabel",
    "connectorSubtype",
    "releaseStage",
}
OPTIONAL = {
    "ab_internal",
    "allowedHosts",
    "connectorTestSuitesOptions",
    "externalDocumentationUrls",
    "icon",
    "maxSecondsBetweenMessages",
    "registryOverrides",
    "releases",
    "suggestedStreams",
    "supportLevel",
    "tags",
}


@pytest.fixture
def metadata() -> dict:
    return yaml.safe_load(METADATA.read_text())


def test_airbytes_model_accepts_it(metadata: dict, tmp_path: Path) -> None:
    parsed = MetadataFile.from_file(METADATA)
    assert parsed.data.dockerImageTag == json.loads((ROOT / "package.json").read_text())["version"]
    assert parsed.data.suggestedStreams is not None
    del metadata["data"]["dockerImageTag"]
    (tmp_path / "metadata.yaml").write_text(yaml.safe_dump(metadata))
    with pytest.raises((ValidationError, ValueError)):
        MetadataFile.from_file(tmp_path / "metadata.yaml")


def test_the_registrys_rules(metadata: dict) -> None:
    data = metadata["data"]
    assert metadata["metadataSpecVersion"] == "1.0"
    assert REQUIRED <= set(data) <= REQUIRED | OPTIONAL
    assert (data["connectorType"], data["connectorSubtype"], data["license"]) == ("source", "api", "MIT")
    assert data["releaseStage"] in ("alpha", "beta", "generally_available", "custom")
    assert data["supportLevel"] in ("community", "certified", "archived")
    assert all(re.fullmatch(r"[\w-]+:[\w-]+", tag) for tag in data["tags"])
    assert any(tag.startswith("language:") for tag in data["tags"])
    assert data["ab_internal"]["sl"] in (0, 100, 200, 300)
    assert 0 <= data["ab_internal"]["ql"] <= 600
    # A major version, 1.0.0 included, has to declare what it breaks.
    if re.fullmatch(r"[1-9]\d*\.0\.0", data["dockerImageTag"]):
        assert data["dockerImageTag"] in data["releases"]["breakingChanges"]
    assert (ROOT / data["icon"]).exists()
    suites = {option["suite"] for option in data["connectorTestSuitesOptions"]}
    assert suites <= {"unitTests", "integrationTests", "acceptanceTests", "liveTests", "smokeTests"}
    for link in data["externalDocumentationUrls"]:
        assert link["title"] and link["url"].startswith("https://")
        assert link["type"] in ("api_reference", "authentication_guide", "rate_limits", "status_page", "other")


def test_suggested_streams_exist(metadata: dict) -> None:
    catalog = json.loads((ROOT / "integration_tests" / "configured_catalog.json").read_text())
    names = {stream["stream"]["name"] for stream in catalog["streams"]}
    assert set(metadata["data"]["suggestedStreams"]["streams"]) <= names


def test_the_images_labels_are_those_of_the_metadata(metadata: dict, connector_image: str) -> None:
    labels = json.loads(docker("inspect", "--format", "{{json .Config.Labels}}", connector_image))
    assert labels["io.airbyte.name"] == metadata["data"]["dockerRepository"]
    assert labels["io.airbyte.version"] == metadata["data"]["dockerImageTag"]


def test_airbytes_judge_finds_nothing_breaking() -> None:
    """compare_specs decides at Airbyte whether a new version may be rolled out to saved configurations."""
    spec = ours().spec()
    theirs = json.loads((ROOT / "test" / "fixtures" / "upstream-0.6.19.json").read_text())
    released = json.loads((ROOT / "integration_tests" / "released" / "snapshot.json").read_text())
    for previous in (theirs, released):
        comparison = compare_specs({"connectionSpecification": previous["connectionSpecification"]}, spec)
        assert comparison.breaking == []
    # Their configurations must stay valid under ours, not the other way round: there the judge finds something.
    assert compare_specs(spec, {"connectionSpecification": theirs["connectionSpecification"]}).breaking != []

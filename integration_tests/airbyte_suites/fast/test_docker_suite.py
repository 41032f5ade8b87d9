"""Airbyte's standard tests of a connector image, against the real image on the real engine."""

from airbyte_cdk.test.standard_tests.docker_base import DockerConnectorTestSuite
from suites import AgainstSimulator


class TestImage(AgainstSimulator, DockerConnectorTestSuite):
    pass

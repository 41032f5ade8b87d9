#!/usr/bin/env bash
# Runs a command with a Docker engine and the Dockerfile's base image at hand: .ci/with-docker.sh COMMAND [ARGUMENT…]
# An engine that this starts stays, so that the next run finds it and its images; `.ci/docker-engine.sh stop` ends it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# Not `export X=$(…)`, which would hide a failure of the script.
host=$("$here/docker-engine.sh" start)
if [ -n "$host" ]; then export DOCKER_HOST=$host; fi
"$here/base-image.sh"
exec "$@"

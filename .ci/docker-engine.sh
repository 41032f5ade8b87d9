#!/usr/bin/env bash
# Gives the tests a Docker engine: the one that already works where there is one, else one of our own.
#
#   .ci/docker-engine.sh start   prints the DOCKER_HOST to use; prints nothing when the present environment already reaches an engine
#   .ci/docker-engine.sh stop    stops the engine that `start` started, and only that one
#   .ci/docker-engine.sh running succeeds when that engine runs
#
# Our own engine keeps data, sockets, pid file and log in one folder, so it never meets a system engine, and a
# later `start` finds its images again. Installing packages needs root and CI=true: a developer's machine is not changed unasked.
set -euo pipefail

state=${SOURCE_AMPLITUDE_DOCKER_DIR:-/tmp/source-amplitude-docker-$(id -u)}
host=unix://$state/docker.sock
pid_file=$state/docker.pid

say() { printf 'docker-engine: %s\n' "$*" >&2; }

# A pid alone proves nothing after a crash: the number may belong to another program by now.
is_running() {
  local pid
  [ -r "$pid_file" ] || return 1
  pid=$(cat "$pid_file")
  [ -r "/proc/$pid/cmdline" ] && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "--pidfile $pid_file"
}

answers() { DOCKER_HOST=${1-} timeout 10 docker info >/dev/null 2>&1; }

install_packages() {
  if [ "$(id -u)" != 0 ] || [ "${CI:-}" != true ] || ! command -v apt-get >/dev/null; then
    say 'no Docker engine answers. Start Docker, or run as root with CI=true on Debian or Ubuntu to let this script install one.'
    exit 1
  fi
  say 'installing docker.io'
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends docker.io iptables; } >&2
  # From Debian 13 on the client is a package of its own.
  command -v docker >/dev/null || apt-get install -y -qq --no-install-recommends docker-cli >&2
}

start() {
  # An empty DOCKER_HOST means the client's own default or its selected context.
  if command -v docker >/dev/null && answers "${DOCKER_HOST-}"; then
    return
  fi
  mkdir -p "$state"
  chmod 700 "$state"
  # Two suites may ask at the same moment; the second waits and finds the first one's engine.
  exec 9>"$state/lock"
  flock 9
  if ! is_running; then
    if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then install_packages; fi
    if [ "$(id -u)" != 0 ]; then
      say 'no Docker engine answers, and starting one needs root.'
      exit 1
    fi
    rm -f "$pid_file"
    setsid dockerd --host "$host" --pidfile "$pid_file" --data-root "$state/data" --exec-root "$state/exec" \
      >"$state/dockerd.log" 2>&1 </dev/null 9>&- &
  fi
  for _ in $(seq 150); do
    if answers "$host"; then
      printf '%s\n' "$host"
      return
    fi
    sleep 0.2
  done
  say "the engine did not answer within 30 s; the end of $state/dockerd.log:"
  tail -n 20 "$state/dockerd.log" >&2
  stop
  exit 1
}

stop() {
  local pid
  is_running || return 0
  pid=$(cat "$pid_file")
  # Every build of a changed tree leaves its unnamed stages behind, some 400 MB each; the latest are the build cache.
  DOCKER_HOST=$host timeout 60 docker image prune --force --filter until=24h >/dev/null 2>&1 || true
  kill "$pid"
  # dockerd gives its containers 10 s before it kills them, then leaves itself.
  for _ in $(seq 150); do
    [ -e "/proc/$pid" ] || return 0
    sleep 0.2
  done
  say "the engine (pid $pid) is still there after 30 s"
  return 1
}

case ${1-} in
start) start ;;
stop) stop ;;
running) is_running ;;
*)
  say 'usage: .ci/docker-engine.sh start|stop|running'
  exit 2
  ;;
esac

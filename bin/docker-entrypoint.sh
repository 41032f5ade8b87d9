#!/bin/sh
# The image's entry point: bin/source-amplitude's program with a heap limit that fits the container.
#
# Node would size its heap by the container's memory too, but leaves no room for what this connector keeps outside
# the heap: downloaded and inflated bytes. So the heap gets 40 % of the container's limit, at most 1 GiB. Reading
# 427 MB of events takes 21 MB of heap and 91 MB in all, so that this leaves both sides room from 128 MB on.
# `exec` makes Node the process that receives the platform's signals. NODE_OPTIONS wins where it sets a limit itself.
set -eu

limit=
for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
  if [ -r "$file" ]; then
    read -r limit <"$file"
    break
  fi
done

# No limit reads "max" in cgroup v2 and a number near 2^63 in v1; both leave Node's own choice alone.
heap=
case ${limit:-max}:${NODE_OPTIONS:-} in
max:* | *max[-_]old[-_]space[-_]size*) ;;
*)
  if [ "$limit" -lt 1099511627776 ]; then
    heap=$((limit * 2 / 5 / 1048576))
    if [ "$heap" -gt 1024 ]; then heap=1024; fi
  fi
  ;;
esac

# The first two flags are those of bin/source-amplitude, which is not started by its first line here.
exec node --max-semi-space-size=2 --expose-gc ${heap:+"--max-old-space-size=$heap"} "${0%/*}/source-amplitude" "$@"

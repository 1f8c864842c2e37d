# nbs in a container: docker build -t nbs . && docker run --rm -v "$PWD:/work" nbs run pipeline.toml
# Another Debian: docker build --build-arg SUITE=trixie -t nbs .
# An image in which plugins can be built as well: docker build --target dev -t nbs-dev .
ARG SUITE=bookworm
FROM debian:${SUITE} AS build
RUN apt-get update && apt-get install -y --no-install-recommends dpkg-dev file && rm -rf /var/lib/apt/lists/*
COPY . /source
# The tree is not root's, which git wants to be told: the revision is recorded with every run.
ENV GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=/source
RUN /source/scripts/package /packages

FROM debian:${SUITE} AS dev
RUN --mount=from=build,source=/packages,target=/packages \
    apt-get update && apt-get install -y --no-install-recommends /packages/*.deb && rm -rf /var/lib/apt/lists/*
WORKDIR /work

FROM debian:${SUITE}
RUN --mount=from=build,source=/packages,target=/packages \
    apt-get update && apt-get install -y --no-install-recommends /packages/nbs_*.deb && rm -rf /var/lib/apt/lists/*
WORKDIR /work
ENTRYPOINT ["nbs"]

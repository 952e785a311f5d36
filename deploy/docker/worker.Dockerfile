# syntax=docker/dockerfile:1
# A worker with the builtin runtime, on the CPU: docker build -f deploy/docker/worker.Dockerfile -t fireside/worker .
FROM python:3.11-slim-trixie AS build
WORKDIR /src
COPY requirements.txt ./
# The editor's files are for servers.
RUN python -m venv /opt/fireside \
    && /opt/fireside/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements.txt \
    && /opt/fireside/bin/pip uninstall --yes comfyui-frontend-package comfyui-workflow-templates-json
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/fireside/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-trixie
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 fireside \
    && useradd --uid 10001 --gid 10001 --home-dir /var/lib/fireside-worker --create-home --shell /usr/sbin/nologin fireside
COPY --from=build /opt/fireside /opt/fireside
ENV PATH=/opt/fireside/bin:$PATH \
    HOME=/var/lib/fireside-worker \
    FIRESIDE_DATA_DIR=/var/lib/fireside-worker
USER 10001:10001
WORKDIR /var/lib/fireside-worker
VOLUME /var/lib/fireside-worker
ENTRYPOINT ["/usr/bin/tini", "--", "fireside"]
CMD ["worker"]

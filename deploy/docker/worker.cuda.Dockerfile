# syntax=docker/dockerfile:1
# A worker with a ComfyUI on an NVIDIA GPU: docker build -f deploy/docker/worker.cuda.Dockerfile -t fireside/worker-cuda .
# The machine needs NVIDIA's driver and its container toolkit; CUDA itself comes with torch.
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

FROM python:3.11-slim-trixie AS comfyui
ARG COMFYUI_VERSION=v0.3.75
# For a torch of another CUDA, as pip takes it.
ARG PIP_EXTRA_INDEX_URL=
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates git \
    && rm -rf /var/lib/apt/lists/* \
    && git clone --depth 1 --branch "$COMFYUI_VERSION" https://github.com/comfyanonymous/ComfyUI /opt/ComfyUI
WORKDIR /opt/ComfyUI
RUN python -m venv .venv && .venv/bin/pip install --no-cache-dir -r requirements.txt

FROM python:3.11-slim-trixie
# Many node packs load OpenCV, which loads these libraries; ffmpeg is for those that make films.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg libgl1 libglib2.0-0 tini \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 fireside \
    && useradd --uid 10001 --gid 10001 --home-dir /var/lib/fireside-worker --create-home --shell /usr/sbin/nologin fireside
COPY --from=comfyui /opt/ComfyUI /opt/ComfyUI
COPY --from=build /opt/fireside /opt/fireside
ENV PATH=/opt/fireside/bin:$PATH \
    HOME=/var/lib/fireside-worker \
    FIRESIDE_DATA_DIR=/var/lib/fireside-worker \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001:10001
WORKDIR /var/lib/fireside-worker
VOLUME /var/lib/fireside-worker
ENTRYPOINT ["/usr/bin/tini", "--", "fireside"]
CMD ["worker", "--comfyui-dir=/opt/ComfyUI"]

# syntax=docker/dockerfile:1
# A server: docker build -f deploy/docker/server.Dockerfile -t fireside/server .
FROM python:3.11-slim-trixie AS build
WORKDIR /src
COPY requirements.txt ./
RUN python -m venv /opt/fireside \
    && /opt/fireside/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/fireside/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-trixie
# pg_dump and pg_restore are for `fireside backup`; tini ends what children leave behind.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client tini \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 fireside \
    && useradd --uid 10001 --gid 10001 --home-dir /var/lib/fireside --create-home --shell /usr/sbin/nologin fireside
COPY --from=build /opt/fireside /opt/fireside
ENV PATH=/opt/fireside/bin:$PATH \
    FIRESIDE_DATA_DIR=/var/lib/fireside \
    FIRESIDE_HOST=0.0.0.0
USER 10001:10001
WORKDIR /var/lib/fireside
VOLUME /var/lib/fireside
EXPOSE 8787
ENTRYPOINT ["/usr/bin/tini", "--", "fireside"]
CMD ["serve"]

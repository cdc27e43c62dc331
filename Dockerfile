# One image for every service and role: `dealwright serve leads`, `dealwright work leads`, `dealwright migrate leads`.
# BASE is any Debian whose python3 is 3.11 or later; name it by digest where builds must repeat to the byte.
ARG BASE=docker.io/library/debian:bookworm-slim

FROM ${BASE} AS build
ARG UV_VERSION=0.13.9
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir uv==${UV_VERSION}
# The base's certificates decide, so that a company's own authority and mirror work by changing BASE alone.
ENV UV_SYSTEM_CERTS=true \
    UV_PROJECT_ENVIRONMENT=/opt/dealwright \
    UV_PYTHON=/usr/bin/python3 \
    UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1
WORKDIR /source
# What others wrote first, from the lock alone: this layer stays while only our own code changes.
COPY pyproject.toml uv.lock ./
RUN /opt/uv/bin/uv sync --frozen --no-dev --extra cluster --no-install-workspace --no-cache
COPY . .
RUN /opt/uv/bin/uv sync --locked --no-dev --extra cluster --no-editable --no-cache

FROM ${BASE}
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates python3 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 dealwright \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin dealwright
COPY --from=build /opt/dealwright /opt/dealwright
# The root is read-only in the cluster: nothing is compiled or cached at run time, /tmp alone is written.
ENV PATH=/opt/dealwright/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /tmp
USER 10001:10001
EXPOSE 8080 50051 9464
ENTRYPOINT ["dealwright"]

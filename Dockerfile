# One image for every part: `serve api`, `serve worker`, `serve sandbox`, `setup`.
FROM python:3.11.14-slim-bookworm AS packages
COPY requirements.lock /
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /venv && /venv/bin/pip install --require-hashes -r /requirements.lock

FROM python:3.11.14-slim-bookworm
LABEL org.opencontainers.image.title="BabyChain on Temporal" \
      org.opencontainers.image.description="A self-hosted workflow API for generative media" \
      org.opencontainers.image.licenses="Apache-2.0"
# A named volume takes over the owner of the folder that it covers.
RUN useradd --uid 10001 --no-create-home babychain && install -d -o babychain -g babychain /data
COPY --from=packages /venv /venv
WORKDIR /app
COPY . .
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    BABYCHAIN_DATA_DIR=/data
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# `serve` replaces itself by the part, which then gets the signals.
ENTRYPOINT ["python", "-m", "cli"]
CMD ["serve", "api", "--host", "0.0.0.0"]

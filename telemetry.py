"""Logs as JSON lines, and traces where an exporter is configured.

Library logs take the same way as ours, so every line of the process parses. Values that must not be read by people
with access to logs are cut out at the edge, whatever wrote them.
"""

import logging
import os
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

_QUERY = re.compile(r"(https?://[^\s\"'?]+)\?[^\s\"']*")
_SHORTEST_SECRET = 8

Event = MutableMapping[str, Any]


def configure(service: str, level: str, secrets: Iterable[str]) -> None:
    _configure_logs(level, [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET])
    _configure_traces(service)


def close() -> None:
    """Send what is still held back, for a process that does not end by itself."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.shutdown()
    logging.shutdown()
    sys.stdout.flush()


def _configure_logs(level: str, secrets: list[str]) -> None:
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _drop_color,
            _Redactor(secrets),
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "uvicorn.access", "aiosqlite", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for own_handlers in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(own_handlers).handlers = []
        logging.getLogger(own_handlers).propagate = True


class _Redactor:
    """Cuts our secrets out of every text, and queries out of addresses: those may be signed."""

    def __init__(self, secrets: list[str]) -> None:
        self._secrets = re.compile("|".join(map(re.escape, secrets))) if secrets else None

    def __call__(self, logger: Any, name: str, event: Event) -> Event:
        return {key: self._clean(value) for key, value in event.items()}

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            cleaned = _QUERY.sub(r"\1?[redacted]", value)
            return self._secrets.sub("[redacted]", cleaned) if self._secrets else cleaned
        if isinstance(value, dict):
            return {key: self._clean(child) for key, child in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._clean(child) for child in value]
        return value


def _drop_color(logger: Any, name: str, event: Event) -> Event:
    """uvicorn says everything twice, once for terminals."""
    event.pop("color_message", None)
    return event


def _add_trace(logger: Any, name: str, event: Event) -> Event:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = format(context.trace_id, "032x")
        event["span_id"] = format(context.span_id, "016x")
    return event


def _configure_traces(service: str) -> None:
    """The exporter reads OpenTelemetry's own variables. Without an address nothing is recorded."""
    names = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    if not any(os.environ.get(name) for name in names):
        return
    provider = TracerProvider(resource=Resource.create({"service.name": f"babychain-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)

"""One client span per outgoing request."""

import httpx
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_tracer = trace.get_tracer("babychain.net")
# Not the global propagator: that one sends baggage too, and the receiver may be anybody.
_propagator = TraceContextTextMapPropagator()


class TracedTransport(httpx.AsyncBaseTransport):
    """Wraps a transport. The query never reaches a span: signed URLs keep their signature there.

    The path is recorded only where it is ours to show (`shows_path`): the path of a caller's callback may be its
    password, as with chat webhooks.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, *, shows_path: bool) -> None:
        self._inner = inner
        self._shows_path = shows_path

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = f"{request.method} {request.url.host}"
        with _tracer.start_as_current_span(
            name, kind=trace.SpanKind.CLIENT, record_exception=False, set_status_on_exception=False
        ) as span:
            # Without a tracing SDK and without a caller's trace there is nothing to tell, and nothing is spent.
            if span.get_span_context().is_valid:
                _propagator.inject(request.headers)
            if not span.is_recording():
                return await self._inner.handle_async_request(request)
            span.set_attribute("http.request.method", request.method)
            span.set_attribute("server.address", request.url.host)
            if self._shows_path:
                span.set_attribute("url.path", request.url.path)
            try:
                response = await self._inner.handle_async_request(request)
            except httpx.TransportError as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(trace.StatusCode.ERROR)
                raise
            span.set_attribute("http.response.status_code", response.status_code)
            if response.is_error:
                span.set_status(trace.StatusCode.ERROR)
            return response

    async def aclose(self) -> None:
        await self._inner.aclose()

import httpx
import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from net import tracing
from net.tracing import TracedTransport


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    return exporter


def client(seen: list[httpx.Request], *, status: int = 200, shows_path: bool = True) -> httpx.AsyncClient:
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if status == 0:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(status)

    return httpx.AsyncClient(transport=TracedTransport(httpx.MockTransport(answer), shows_path=shows_path))


async def test_span_tells_the_request_without_its_query(spans: InMemorySpanExporter) -> None:
    seen: list[httpx.Request] = []
    async with client(seen) as http:
        await http.post("https://api.bfl.ai/v1/flux?signature=s3cret")
    (span,) = spans.get_finished_spans()
    assert span.name == "POST api.bfl.ai"
    assert span.kind is trace.SpanKind.CLIENT
    assert dict(span.attributes or {}) == {
        "http.request.method": "POST",
        "server.address": "api.bfl.ai",
        "url.path": "/v1/flux",
        "http.response.status_code": 200,
    }
    assert "s3cret" not in span.to_json()
    assert seen[0].headers["traceparent"].split("-")[1] == trace.format_trace_id(span.context.trace_id)


async def test_path_of_a_callers_address_stays_out_of_traces(spans: InMemorySpanExporter) -> None:
    async with client([], shows_path=False) as http:
        await http.post("https://hooks.example/services/s3cret")
    assert "s3cret" not in spans.get_finished_spans()[0].to_json()


@pytest.mark.parametrize("status", [404, 500, 0])
async def test_failed_request_is_a_failed_span(spans: InMemorySpanExporter, status: int) -> None:
    async with client([], status=status) as http:
        if status == 0:
            with pytest.raises(httpx.ConnectError):
                await http.get("https://example.com/")
        else:
            await http.get("https://example.com/")
    (span,) = spans.get_finished_spans()
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.events == ()


async def test_baggage_is_not_sent_to_strangers(spans: InMemorySpanExporter) -> None:
    seen: list[httpx.Request] = []
    token = context.attach(baggage.set_baggage("caller", "s3cret"))
    try:
        async with client(seen) as http:
            await http.get("https://example.com/")
    finally:
        context.detach(token)
    assert "baggage" not in seen[0].headers


async def test_nothing_is_injected_without_a_tracing_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_tracer", trace.NoOpTracer())
    seen: list[httpx.Request] = []
    async with client(seen) as http:
        await http.get("https://example.com/")
    assert "traceparent" not in seen[0].headers

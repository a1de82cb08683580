"""What the API refuses, in which order and in which words; webhooks from providers; readiness; traces."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import jsonschema
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.client import Client

import providers
from api.examples import CREATE_EXAMPLE
from api.main import build
from domain.provider import Notice
from domain.tokens import AttemptToken
from net.webhook_addresses import WebhookAddresses
from sandbox.config import Config
from storage.database import upgrade
from temporal.connection import DATA_CONVERTER
from tests.support import runs, toy
from tests.support.answers import refusal
from tests.support.bodies import drawn, restyled
from tests.support.histories import history_of, signals
from tests.support.service import KEY, Json, Service, bearer, running_service
from tests.support.serving import free_port, serving
from tests.support.waiting import eventually

CREATE = "/api/v1/chains/chain1/runs"
NO_RUN = "00000000-0000-4000-8000-000000000000"


# ---- who asks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "missing_api_key"),
        ("", "missing_api_key"),
        ("Bearer", "missing_api_key"),
        (f"Basic {KEY}", "missing_api_key"),
        (f"bearer {KEY}", "missing_api_key"),
        (KEY, "missing_api_key"),
        ("Bearer wrong", "invalid_api_key"),
        (f"Bearer {KEY}x", "invalid_api_key"),
        (f"Bearer  {KEY}", "invalid_api_key"),
        (f"Bearer {KEY[:12]}", "invalid_api_key"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", CREATE),
        ("GET", f"/api/v1/chains/get/{NO_RUN}"),
        ("POST", f"/api/v1/chains/cancel/{NO_RUN}"),
        ("POST", "/api/v1/assets"),
        ("GET", "/api/v1/assets/none"),
    ],
)
async def test_a_key_that_is_missing_or_wrong_is_refused(
    service: Service, method: str, path: str, header: str | None, code: str
) -> None:
    headers = {} if header is None else {"authorization": header}
    answer = await service.anyone.request(method, path, headers=headers)
    error = refusal(answer, 401, code)
    assert error["type"] == "authentication_error"
    assert "details" not in error
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_unknown_chain_is_said_before_the_key_is_asked_for(service: Service) -> None:
    refusal(await service.anyone.post("/api/v1/chains/nope/runs"), 404, "chain_not_found")


@pytest.mark.parametrize(
    "run_id",
    [
        "42",
        "not-a-uuid",
        "3b1c8a4e52d74f0a9c116f2f0b0f7a10",
        "g" * 36,
        # Forms that Python would take for a UUID.
        "{--3b1c8a4e52d74f0a9c116f2f0b0f7a10}",
        "3b1c8a4e52d74f0a9c116f2f0b0f7a10----",
        "urn:3b1c8a4e52d74f0a9c116f2f0b0f7a10",
        f"{NO_RUN[:-1]}\uff10",
        f"{NO_RUN}%0A",
        f"{NO_RUN[:-1]}%00",
    ],
)
async def test_a_malformed_run_id_is_said_before_the_key_is_asked_for(service: Service, run_id: str) -> None:
    for method, verb in (("GET", "get"), ("POST", "cancel")):
        answer = await service.anyone.request(method, f"/api/v1/chains/{verb}/{run_id}")
        error = refusal(answer, 400, "invalid_run_id")
        assert error["details"] == {"formErrors": [error["message"]], "fieldErrors": {}}


async def test_a_strangers_body_is_neither_parsed_nor_read(service: Service) -> None:
    refusal(await service.anyone.post(CREATE, content=b"{not json"), 401, "missing_api_key")
    assert await _refused_before_body(service, bearer("wrong-key-0123456789"), 10_000_000) == 401


async def test_a_body_declared_too_large_is_refused_unread(service: Service) -> None:
    assert await _refused_before_body(service, bearer(KEY), 262_145) == 413


async def _refused_before_body(service: Service, headers: dict[str, str], length: int) -> int:
    """The status of the answer to a request whose body is announced and never sent."""
    url = urlsplit(str(service.api.base_url))
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"POST {CREATE} HTTP/1.1\r\nhost: x\r\n{head}content-length: {length}\r\n\r\n".encode())
    await writer.drain()
    async with asyncio.timeout(10):
        status = int((await reader.readline()).split()[1])
    writer.close()
    return status


# ---- bodies -----------------------------------------------------------------------------------------------------


async def _pieces(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1024 + 1):
        yield b" " * 1024


async def test_a_body_that_grows_too_large_is_refused(service: Service) -> None:
    refusal(await service.api.post(CREATE, content=_pieces(262_144)), 413, "payload_too_large")


NO_JSON = {
    "nothing": b"",
    "cut": b"{",
    "single quotes": b"{'input': 1}",
    "NaN": b'{"input": {"a": NaN}}',
    "Infinity": b'{"input": {"a": -Infinity}}',
    "not UTF-8": b'\xff\xfe{"input": {}}',
    "a number of five thousand digits": b'{"a": ' + b"9" * 5_000 + b"}",
}


@pytest.mark.parametrize("case", NO_JSON)
async def test_a_body_that_is_no_json_is_refused(service: Service, case: str) -> None:
    error = refusal(await service.api.post(CREATE, content=NO_JSON[case]), 400, "invalid_json")
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"5", b"null", b"true"])
async def test_a_body_that_is_no_object_is_refused(service: Service, body: bytes) -> None:
    error = refusal(await service.api.post(CREATE, content=body), 400, "invalid_request")
    assert error["errors"] == [{"path": [], "message": "must be a JSON object"}]


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_another_content_type_is_refused(service: Service, media_type: str) -> None:
    answer = await service.api.post(CREATE, content=b"{}", headers={"content-type": media_type})
    refusal(answer, 415, "unsupported_media_type")


MISFITS: dict[str, tuple[bytes, list[str] | None]] = {
    "a hundred thousand lists": (b'{"input": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", ["input"]),
    "five hundred objects": (b'{"input": {"a": ' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"}}", None),
    "a number too large": (b'{"input": {"a": 1e400}}', ["input", "a"]),
    "half a character": (b'{"input": {"a": "\\ud800"}}', ["input", "a"]),
    "a key of half a character": (b'{"input": {"\\ud800": 1}}', ["input"]),
    "a metadata key of half a character": (b'{"metadata": {"\\udfff": 1}}', ["metadata"]),
    "metadata as a list": (b'{"metadata": []}', ["metadata"]),
    "input as text": (b'{"input": "text"}', ["input"]),
    "a number as callback": (b'{"webhook_url": 5}', ["webhook_url"]),
    "words as callback": (b'{"webhook_url": "no url"}', ["webhook_url"]),
    "half a character in the callback": (b'{"webhook_url": "https://a.example/\\ud800"}', ["webhook_url"]),
    "half an IPv6 host": (b'{"webhook_url": "https://[a"}', ["webhook_url"]),
    "a long callback": (b'{"webhook_url": "https://a.example/' + b"x" * 2_048 + b'"}', ["webhook_url"]),
}


@pytest.mark.parametrize("case", MISFITS)
async def test_an_envelope_that_does_not_fit_is_refused_with_the_place(service: Service, case: str) -> None:
    body, path = MISFITS[case]
    error = refusal(await service.api.post(CREATE, content=body), 400, "invalid_request")
    [fault] = error["errors"]
    assert path is None or fault["path"] == path
    assert list(error["details"]["fieldErrors"]) == [fault["path"][0]]


async def test_every_fault_of_a_request_is_in_one_answer(service: Service) -> None:
    body = {
        "input": {
            "chain_models": {"text_to_image_model": "bfl/flux-2-flex", "video_model": "x/y"},
            "text_to_image_params": {"width": "wide", "nested": {"Api-Key": "abc-secret-value"}},
            "image_to_video_params": {"ratio": "7:3", "image": "https://a.example/b.png"},
            "surprise": 1,
        }
    }
    answer = await service.api.post(CREATE, json=body)
    error = refusal(answer, 400, "invalid_chain_input")
    paths = {".".join(map(str, fault["path"])) for fault in error["errors"]}
    assert paths == {
        "input.chain_models.video_model",
        "input.text_to_image_params.prompt",
        "input.text_to_image_params.width",
        "input.text_to_image_params.nested",
        "input.text_to_image_params.nested.Api-Key",
        "input.image_to_video_params.ratio",
        "input.image_to_video_params.image",
        "input.surprise",
    }
    assert set(error["details"]["fieldErrors"]) == {
        "chain_models", "text_to_image_params", "image_to_video_params", "surprise",
    }  # fmt: skip
    assert "abc-secret-value" not in answer.text
    assert error["guidance"]["what_to_try_next"]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://shop.example.com/hook", "invalid_callback_url"),
        ("https://localhost/hook", "invalid_callback_url"),
        ("https://127.0.0.1/hook", "invalid_callback_url"),
        ("https://10.0.0.7/hook", "invalid_callback_url"),
        ("https://[::1]/hook", "invalid_callback_url"),
        ("https://169.254.169.254/latest", "invalid_callback_url"),
        ("https://user:pass-word@shop.example.com/hook", "invalid_callback_url"),
        ("ftp://shop.example.com/hook", "invalid_callback_url"),
    ],
)
async def test_a_callback_to_an_unsafe_address_is_refused(service: Service, url: str, code: str) -> None:
    answer = await service.api.post(CREATE, json=drawn("unsafe hook", webhook_url=url))
    error = refusal(answer, 400, code)
    assert error["errors"][0]["path"] == ["webhook_url"]
    assert "pass-word" not in answer.text


@pytest.mark.parametrize(
    "url",
    [
        "http://pictures.example.com/a.png",
        "https://localhost/a.png",
        "https://127.0.0.1/a.png",
        "https://192.168.1.1/a.png",
        "https://[fd00::1]/a.png",
        "https://user:pass-word@pictures.example.com/a.png",
        "HTTPS://0x7f.1/a.png",
    ],
)
@pytest.mark.parametrize("field", ["source_image_url", "image_to_image_params"])
async def test_an_unsafe_input_address_is_refused(service: Service, field: str, url: str) -> None:
    value = {"generation_input_file": [url]} if field == "image_to_image_params" else url
    answer = await service.api.post("/api/v1/chains/chain2/runs", json=restyled("unsafe input", **{field: value}))
    error = refusal(answer, 400, "invalid_chain_input")
    assert error["errors"][0]["path"][:2] == ["input", field]
    assert "pass-word" not in answer.text


@pytest.mark.parametrize("text", ["no address", "f" * 64 + ".jpg", "ftp://a.example/b.png", "data:image/png;base64,AA"])
async def test_a_start_picture_that_is_neither_address_nor_asset_is_refused(service: Service, text: str) -> None:
    answer = await service.api.post("/api/v1/chains/chain2/runs", json=restyled("no picture", source_image_url=text))
    refusal(answer, 400, "invalid_chain_input")


async def test_nothing_is_spent_or_stored_for_a_refused_request(service: Service) -> None:
    body = drawn("refused and free")
    body["input"]["image_to_video_params"]["duration"] = 99
    refusal(await service.api.post(CREATE, json=body, headers={"idempotency-key": "k"}), 400, "invalid_chain_input")
    assert await service.submits(prompt="refused and free") == []
    # The key is still free: a refused request took nothing.
    run = await service.create("chain1", drawn("refused, then mended"), "k")
    await service.succeeded(run["id"])


async def test_strange_metadata_comes_back_as_it_was_sent(service: Service) -> None:
    metadata = {
        "tags": ["a", "", "x" * 300, 5, "\u0000"],
        "zero\u0000": "\u0000",
        "big": 10**30,
        "half": 0.5,
        "": "empty",
        "flag": True,
        "nothing": None,
        "emoji": "🛶",
        "long": "y" * 1_000,
    }
    run = await service.succeeded((await service.create("chain1", drawn("strange metadata", metadata=metadata)))["id"])
    assert run["metadata"] == metadata


# ---- routes -----------------------------------------------------------------------------------------------------


async def test_a_run_id_is_the_same_in_either_case(service: Service) -> None:
    run = await service.create("chain1", drawn("either case"))
    assert (await service.get(run["id"].upper()))["id"] == run["id"]


# A trailing slash is no redirect: that would lead to whatever host the request names.
@pytest.mark.parametrize(
    "path", ["/api", "/api/v1/chains/get", "/api/v2/chains", "/api/webhooks/bfl", "/api/v1/chains/", "/healthz/"]
)
async def test_an_unknown_route_is_a_404_of_ours(service: Service, path: str) -> None:
    refusal(await service.anyone.get(path), 404, "not_found")


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/api/health"])
async def test_what_monitors_look_at_may_be_asked_for_without_its_body(service: Service, path: str) -> None:
    asked = [await service.anyone.request(method, path) for method in ("GET", "HEAD")]
    assert [answer.status_code for answer in asked] == [200, 200]
    assert (asked[0].content != b"", asked[1].content) == (True, b"")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("GET", CREATE, "POST"), ("DELETE", "/api/v1/chains", "GET"), ("PUT", "/healthz", "GET, HEAD")],
)
async def test_a_wrong_method_is_a_405_that_names_the_right_one(
    service: Service, method: str, path: str, allow: str
) -> None:
    answer = await service.api.request(method, path)
    refusal(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/chains/runs?tag=%00"),
        ("GET", "/api/v1/chains/runs?template=a%00b"),
        ("GET", "/api/v1/admin/find?job=%00"),
        ("GET", "/api/v1/admin/find?request_id=%00"),
        ("GET", "/api/v1/keys?caller=%00"),
        ("DELETE", "/api/v1/keys/%00"),
        ("POST", "/api/v1/keys/%00/rotate"),
        ("GET", "/api/v1/callers/%00"),
        ("PUT", "/api/v1/callers/%00/caps"),
        ("POST", "/api/v1/callers/%00/callback-secret"),
    ],
)
async def test_a_nul_in_an_address_goes_no_further(service: Service, method: str, path: str) -> None:
    """PostgreSQL would refuse the query that it stands in."""
    refusal(await service.api.request(method, path), 400, "invalid_request")


@pytest.mark.parametrize(
    ("sent", "kept"), [("web-42", True), ("a" * 128, True), ("a" * 129, False), ("with space", False), ("", False)]
)
async def test_a_request_id_is_kept_when_it_fits_and_made_when_not(service: Service, sent: str, kept: bool) -> None:
    answer = await service.anyone.get("/healthz", headers={"x-request-id": sent})
    assert (answer.headers["x-request-id"] == sent) is kept
    assert answer.headers["x-request-id"]


class _Crashing(toy.Toy):
    def notice(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        raise ZeroDivisionError("a-detail-nobody-may-see")


async def test_a_crash_is_answered_without_its_details(temporal: Client, tmp_path: Path) -> None:
    def load(env: Mapping[str, str], http: httpx.AsyncClient) -> providers.Loaded:
        return providers.Loaded({toy.NAME: _Crashing(http, "")}, toy.MODELS, {toy.NAME: "TOY_API_KEY"})

    settings = runs.test_settings(tmp_path)
    token = AttemptToken(str(uuid4()), "step", 1)
    path = urlsplit(WebhookAddresses(settings.secret.get_secret_value(), "http://x").url(toy.NAME, token)).path
    async with serving(build(settings, temporal, load=load)) as url, httpx.AsyncClient(base_url=url) as http:
        answer = await http.post(path, headers={"x-request-id": "crash-1"})
    assert answer.status_code == 500
    assert answer.json() == {
        "error": {
            "type": "api_error",
            "code": "internal_error",
            "message": "Something went wrong on our side.",
            "request_id": "crash-1",
        }
    }
    assert answer.headers["x-request-id"] == "crash-1"


# ---- Temporal away, worker away -----------------------------------------------------------------------------------


@pytest.fixture
async def cut_off(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """An API whose Temporal server does not listen."""
    settings = runs.test_settings(tmp_path)
    await upgrade(settings.archive_url)
    client = await Client.connect(f"127.0.0.1:{free_port()}", lazy=True, data_converter=DATA_CONVERTER)
    async with (
        serving(build(settings, client)) as url,
        httpx.AsyncClient(base_url=url, headers=bearer(KEY), timeout=30, trust_env=False) as http,
    ):
        yield http


async def test_without_temporal_every_call_for_a_run_says_so_and_when_to_come_back(cut_off: httpx.AsyncClient) -> None:
    run_id = uuid4()
    answers = await asyncio.gather(
        cut_off.post(CREATE, json=drawn("nobody home")),
        cut_off.post(CREATE, json=drawn("nobody home"), headers={"idempotency-key": "k"}),
        cut_off.get(f"/api/v1/chains/get/{run_id}"),
        cut_off.post(f"/api/v1/chains/cancel/{run_id}"),
    )
    for answer in answers:
        error = refusal(answer, 503, "temporal_unreachable")
        assert error["type"] == "api_error"
        assert error["guidance"]["what_to_try_next"]
        assert int(answer.headers["retry-after"]) >= 1


async def test_without_temporal_the_process_lives_but_is_not_ready(cut_off: httpx.AsyncClient) -> None:
    assert (await cut_off.get("/healthz")).json() == {"status": "ok"}
    answer = await cut_off.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["temporal"] == "unreachable"


async def test_readiness_tells_whether_a_worker_polls(temporal: Client, tmp_path: Path, service: Service) -> None:
    async with running_service(temporal, tmp_path, worker=False) as idle:
        answer = await idle.anyone.get("/readyz")
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok", "temporal": "ok", "worker": "absent"}
    answer = await service.anyone.get("/readyz")
    assert answer.json() == {"status": "ok", "temporal": "ok", "worker": "polling"}


# ---- webhooks ---------------------------------------------------------------------------------------------------

SLOW = Config(url="http://127.0.0.1:0", second_port=0, picture_seconds=600, video_seconds=600, media="tiny")


def webhook_path(service: Service, provider: str, token: AttemptToken, secret: str | None = None) -> str:
    secret = secret or service.settings.secret.get_secret_value()
    return urlsplit(WebhookAddresses(secret, "http://x").url(provider, token)).path


async def test_every_token_that_is_not_one_looks_the_same(service: Service) -> None:
    token = AttemptToken(str(uuid4()), "text_to_image", 1)
    good = webhook_path(service, "bfl", token)
    other_provider = webhook_path(service, "byteplus", token).replace("/byteplus/", "/bfl/")
    paths = [
        "/api/webhooks/bfl/x",
        "/api/webhooks/bfl/" + "A" * 2_000,
        "/api/webhooks/bfl/%F0%9F%9B%B6",
        good[:-1],
        good[:-2] + ("A" if good[-2] != "A" else "B") + good[-1],
        other_provider,
        webhook_path(service, "bfl", token, secret="another-secret-0123456789"),
        webhook_path(service, "nobody", token),
        "/api/webhooks/nobody/x",
    ]
    answers = [await service.anyone.post(path, content=b"{", headers={"x-request-id": "same"}) for path in paths]
    for answer in answers:
        refusal(answer, 404, "not_found")
    assert len({answer.content for answer in answers}) == 1


async def test_a_forged_or_repeated_report_changes_nothing(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, config=SLOW) as service:
        created = await service.create("chain1", drawn("nudged"))
        await eventually(service.sandbox.paid_starts, lambda count: count == 1)

        async def with_job() -> Json:
            return await service.get(created["id"])

        before = await eventually(with_job, lambda run: run["steps"][0]["attempts"][0]["outcome"] == "running")
        [row] = [row for row in await service.sandbox.jobs() if row["operation"] == "submit"]
        path = urlsplit(row["callback_url"]).path
        secret = row["body"]["webhook_secret"]
        lie = {"task_id": "forged", "id": "forged", "status": "Ready", "result": {"sample": "https://evil.example/x"}}
        answers = await asyncio.gather(
            *(service.anyone.post(path, json=lie, headers={"x-webhook-secret": secret}) for _ in range(200))
        )
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.content for answer in answers} == {b'{"received":true}'}
        assert len(signals(await history_of(service.client, created["id"]))) == 1
        # The report may have made the run look at its job just now, which is something else to wait for, for a moment.
        assert await service.get(created["id"]) | {"waiting_on": None} == before | {"waiting_on": None}
        run = await service.cancel(created["id"])
        late = await service.anyone.post(path, json=lie, headers={"x-webhook-secret": secret})
        assert late.status_code == 200
        assert await service.get(created["id"]) == run


async def test_a_report_for_a_run_that_never_was_is_taken_and_changes_nothing(service: Service) -> None:
    path = webhook_path(service, "byteplus", AttemptToken(str(uuid4()), "image_to_video", 1))
    answer = await service.anyone.post(path, json={"id": "cgt-1", "status": "succeeded"})
    assert answer.status_code == 200


async def test_a_report_larger_than_a_mebibyte_is_refused(service: Service) -> None:
    path = webhook_path(service, "byteplus", AttemptToken(str(uuid4()), "image_to_video", 1))
    answer = await service.anyone.post(path, content=b" " * (1024 * 1024 + 1))
    refusal(answer, 413, "payload_too_large")


# ---- traces -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spans() -> Iterator[InMemorySpanExporter]:
    """The process's own tracing, as `telemetry` would set it up; nothing in this suite sets it up otherwise."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    yield exporter
    provider.shutdown()


async def test_one_trace_leads_from_the_post_to_the_callback(
    spans: InMemorySpanExporter, temporal: Client, tmp_path: Path
) -> None:
    trace_id, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    async with running_service(temporal, tmp_path) as service:
        headers = {"traceparent": f"00-{trace_id}-{parent}-01"}
        answer = await service.api.post(CREATE, json=drawn("traced", webhook_url=service.hook), headers=headers)
        run = await service.succeeded(answer.json()["id"])
        [call] = await service.callbacks(run["id"])
        await service.client.get_workflow_handle(f"after-{run['id']}").result()
    assert call.headers["traceparent"].split("-")[1] == trace_id
    found = [span for span in spans.get_finished_spans() if trace.format_trace_id(span.context.trace_id) == trace_id]
    server = named(found, f"POST {CREATE.replace('chain1', '{slug}')}")
    assert server.kind is trace.SpanKind.SERVER
    assert server.parent is not None and trace.format_span_id(server.parent.span_id) == parent
    assert dict(server.attributes or {})["http.response.status_code"] == 202
    assert _is_below(named(found, "StartWorkflow:chain1"), server, found)
    for name in ("RunActivity:submit", "RunActivity:collect", "RunActivity:deliver"):
        assert _is_below(named(found, name), server, found)
    calls = [span for span in found if span.kind is trace.SpanKind.CLIENT and span.name.startswith("POST 127.0.0.1")]
    under = {_parent(span, found).name for span in calls if span.parent is not None}
    assert under == {"RunActivity:submit", "RunActivity:deliver"}
    text = "".join(span.to_json() for span in spans.get_finished_spans())
    assert KEY not in text
    assert "signature=" not in text


async def test_a_webhooks_token_stays_out_of_traces(spans: InMemorySpanExporter, service: Service) -> None:
    path = webhook_path(service, "byteplus", AttemptToken(str(uuid4()), "image_to_video", 1))
    await service.anyone.post(path, json={"id": "cgt-1", "status": "succeeded"})
    token = path.rpartition("/")[2]
    assert token not in "".join(span.to_json() for span in spans.get_finished_spans())


async def test_an_asset_links_signature_stays_out_of_traces(spans: InMemorySpanExporter, service: Service) -> None:
    link = {"expires": "1", "signature": "a-signature-that-opens-something"}
    await service.anyone.get(f"/assets/{'0' * 64}.jpg", params=link)
    finished = spans.get_finished_spans()
    assert named(list(finished), "GET /assets/{asset_id}")
    assert link["signature"] not in "".join(span.to_json() for span in finished)


def named(found: list[ReadableSpan], name: str) -> ReadableSpan:
    return next(span for span in found if span.name == name)


def _parent(span: ReadableSpan, found: list[ReadableSpan]) -> ReadableSpan:
    assert span.parent is not None
    return next(other for other in found if other.context.span_id == span.parent.span_id)


def _is_below(span: ReadableSpan, top: ReadableSpan, found: list[ReadableSpan]) -> bool:
    while span is not top and span.parent is not None:
        span = _parent(span, found)
    return span is top


# ---- OpenAPI ----------------------------------------------------------------------------------------------------

_OPENAPI: Json = {
    "type": "object",
    "required": ["openapi", "info", "paths"],
    "properties": {
        "openapi": {"pattern": r"^3\.1\.\d+$"},
        "info": {"type": "object", "required": ["title", "version"]},
        "paths": {
            "type": "object",
            "patternProperties": {
                "^/": {
                    "type": "object",
                    "additionalProperties": {
                        "type": "object",
                        "required": ["operationId", "summary", "responses"],
                        "properties": {
                            "responses": {
                                "type": "object",
                                "minProperties": 1,
                                "propertyNames": {"pattern": r"^([1-5]\d\d|default)$"},
                                "additionalProperties": {"type": "object", "required": ["description"]},
                            },
                            "parameters": {
                                "type": "array",
                                "items": {
                                    "type": "object",
                                    "required": ["name", "in", "schema"],
                                    "properties": {"in": {"enum": ["path", "query", "header", "cookie"]}},
                                },
                            },
                        },
                    },
                }
            },
            "additionalProperties": False,
        },
    },
}
"""As much of OpenAPI 3.1 as our document uses."""


async def test_the_api_describes_itself(service: Service) -> None:
    answer = await service.anyone.get("/openapi.json")
    document = answer.json()
    jsonschema.validate(document, _OPENAPI)
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for operation in operations:
        assert "422" not in operation["responses"]
        for part in (operation.get("requestBody", {}), *operation["responses"].values()):
            for content in part.get("content", {}).values():
                jsonschema.Draft202012Validator.check_schema(content.get("schema", {}))


async def test_the_description_says_which_calls_need_a_key(service: Service) -> None:
    document = (await service.anyone.get("/openapi.json")).json()
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            answer = await service.anyone.request(
                method.upper(), path.replace("{run_id}", NO_RUN).replace("{slug}", "chain1")
            )
            assert ("security" in operation) is (answer.status_code == 401), (method, path)


async def test_the_documented_example_of_a_create_is_taken(service: Service) -> None:
    document = (await service.anyone.get("/openapi.json")).json()
    create = document["paths"]["/api/v1/chains/{slug}/runs"]["post"]
    content = create["requestBody"]["content"]["application/json"]
    assert content["example"] == CREATE_EXAMPLE
    jsonschema.validate(content["example"], content["schema"] | {"components": document["components"]})
    example: dict[str, Any] = content["example"] | {"webhook_url": service.hook}
    await service.create("chain1", example)


async def test_every_documented_error_has_the_shape_that_errors_have(service: Service) -> None:
    document = (await service.anyone.get("/openapi.json")).json()
    answer = await service.anyone.post(CREATE, json={})
    responses = document["paths"]["/api/v1/chains/{slug}/runs"]["post"]["responses"]
    for status, response in responses.items():
        schema = response["content"]["application/json"]["schema"]
        if not status.startswith("2"):
            jsonschema.validate(json.loads(answer.content), schema | {"components": document["components"]})


async def test_language_models_are_told_how_to_use_it(service: Service) -> None:
    answer = await service.anyone.get("/llms.txt")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert "`chain1`" in answer.text

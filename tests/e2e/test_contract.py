"""The contract, met by a client that knows nothing else: which error wins, details, limits, and the callback."""

import hashlib
import hmac
import json
from copy import deepcopy
from typing import Any
from uuid import uuid4

import httpx
import jsonschema
import pytest

from tests.support.answers import refusal
from tests.support.bodies import SEED_EXAMPLE, drawn, restyled
from tests.support.pictures import jpeg
from tests.support.service import Json, Service, bearer

CREATE = "/api/v1/chains/chain1/runs"
RESTYLE = "/api/v1/chains/chain2/runs"
SECRET = "callback_test_secret"


async def uploaded(service: Service, seed: str) -> str:
    answer = await service.api.post("/api/v1/assets", files={"file": ("a.jpg", jpeg(seed, (512, 512)), "image/jpeg")})
    assert answer.status_code == 201, answer.text
    asset: str = answer.json()["id"]
    return asset


# ---- the sample client of the contract's last section -------------------------------------------------------------


async def test_the_sample_client_creates_repeats_conflicts_polls_and_verifies(service: Service) -> None:
    body = deepcopy(SEED_EXAMPLE) | {"webhook_url": service.hook}
    headers = {"idempotency-key": f"seed-{uuid4()}"}
    first = await service.api.post(CREATE, json=body, headers=headers)
    assert (first.status_code, first.json()["status"]) == (202, "queued")
    assert list(first.json())[:10] == [
        "id", "object", "chain_slug", "chain_version", "mode", "status", "input", "created_at", "updated_at",
        "current_step_key",
    ]  # fmt: skip
    again = await service.api.post(CREATE, json=body, headers=headers)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    other = deepcopy(body)
    other["input"]["text_to_image_params"]["seed"] = 43
    error = refusal(await service.api.post(CREATE, json=other, headers=headers), 409, "idempotency_conflict")
    assert (error["type"], error["details"]) == ("idempotency_error", {"conflicts": ["input"]})
    run = await service.succeeded(first.json()["id"])
    assert run["current_step_key"] == "completed"
    assert run["steps"][1]["generation_input_file"] == run["steps"][0]["generation_output_file"]
    [call] = await service.callbacks(run["id"])
    assert json.loads(call.body) == await service.get(run["id"])
    assert_genuine(call.headers, call.body)
    assert call.headers["x-babychain-event"] == "chain_run.completed"
    assert call.headers["user-agent"] == "BabyChain/0.1"
    assert call.headers["content-length"] == str(len(call.body))


def signed(secret: str, at: str, body: bytes) -> str:
    """The contract's section (h), to the byte."""
    return hmac.new(secret.encode(), at.encode("ascii") + b"." + body, hashlib.sha256).hexdigest()


def assert_genuine(headers: dict[str, str], body: bytes) -> None:
    at, mark = headers["x-babychain-signature"].split(",")
    assert mark == f"v1={signed(SECRET, at.removeprefix('t='), body)}"


def test_the_contracts_own_vector_holds_for_this_client() -> None:
    wanted = "4be849b707b1ee6f8d00c713bac94f33bd3bbce04ee34c6f62cacaf294335793"
    assert signed("callback_test_secret", "1779900000", b'{"id":"x"}') == wanted


@pytest.mark.parametrize("path", [CREATE, "/api/v1/chains/runs/00000000-0000-4000-8000-000000000000/deliveries"])
async def test_of_two_idempotency_keys_none_is_chosen(service: Service, path: str) -> None:
    """A proxy or a library that adds one of its own would otherwise decide what is paid once."""
    headers = [("idempotency-key", f"first-{uuid4()}"), ("idempotency-key", f"second-{uuid4()}")]
    answer = await service.api.post(path, json=deepcopy(SEED_EXAMPLE) if path == CREATE else {}, headers=headers)
    refusal(answer, 400, "invalid_idempotency_key")


# ---- which error wins ---------------------------------------------------------------------------------------------


async def test_of_everything_wrong_with_a_create_the_contracts_first_check_answers(service: Service) -> None:
    """One request with every fault, mended from the first check to the last."""
    made = await service.api.post("/api/v1/keys", json={"caller": "contract", "scopes": ["chains:read"]})
    reader, huge = bearer(made.json()["key"]), b"{" + b" " * 262_144
    bad_key = {"idempotency-key": "no spaces please"}
    faulty = restyled("faulty", source_image_url="https://localhost/a.png", surprise=1) | {
        "metadata": [],
        "webhook_url": "http://shop.example.com/hook",
    }
    faulty["input"]["chain_models"]["image_to_video_model"] = "no/such-model"
    await refused(service.anyone, "/api/v1/chains/chain9/runs", huge, 404, "chain_not_found")
    await refused(service.anyone, RESTYLE, huge, 401, "missing_api_key")
    await refused(service.anyone, RESTYLE, huge, 401, "invalid_api_key", bearer("wrong-key-0123456789"))
    error = await refused(service.anyone, RESTYLE, huge, 403, "insufficient_scope", reader)
    assert error["type"] == "permission_error"
    await refused(service.api, RESTYLE, huge, 413, "payload_too_large", bad_key)
    await refused(service.api, RESTYLE, b"{", 400, "invalid_json", bad_key)
    await refused(service.api, RESTYLE, faulty, 400, "invalid_request", bad_key)
    del faulty["metadata"]
    await refused(service.api, RESTYLE, faulty, 400, "invalid_chain_input", bad_key)
    del faulty["input"]["surprise"]
    await refused(service.api, RESTYLE, faulty, 400, "unsupported_model_identifier", bad_key)
    del faulty["input"]["chain_models"]["image_to_video_model"]
    await refused(service.api, RESTYLE, faulty, 400, "invalid_idempotency_key", bad_key)
    key = f"order-{uuid4()}"
    picture = await uploaded(service, key)
    good = restyled("faulty", source_image_url=picture)
    run = await service.create("chain2", good, key)
    await refused(service.api, RESTYLE, faulty, 409, "idempotency_conflict", {"idempotency-key": key})
    await refused(service.api, RESTYLE, faulty, 400, "invalid_chain_input")
    faulty["input"]["source_image_url"] = picture
    await refused(service.api, RESTYLE, faulty, 400, "invalid_callback_url")
    del faulty["webhook_url"]
    faulty["input"] = good["input"]
    assert (await service.create("chain2", faulty, key))["id"] == run["id"]
    await service.cancel(run["id"])


async def refused(
    client: httpx.AsyncClient, path: str, body: Json | bytes, status: int, code: str, headers: Json | None = None
) -> Json:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {"content-type": "application/json"} | (headers or {})
    return refusal(await client.post(path, content=content, headers=told), status, code)


# ---- details and guidance -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("input", "path"),
    [
        ({"image_to_video_params": {"image_url": "https://a.example/b.png"}}, ["image_to_video_params", "image_url"]),
        ({"image_to_video_params": {"generation_input_file": ["https://a.example/b.png"]}},
         ["image_to_video_params", "generation_input_file"]),
        ({"text_to_image_model": "bytedance/seedance-1.5-pro"}, ["text_to_image_model"]),
        ({"chain_models": {"text_to_image_model": "bytedance/seedance-1.5-pro"}}, ["text_to_image_model"]),
        ({"text_to_image_params": {"model": "x"}}, ["text_to_image_params", "model"]),
        ({"image_to_video_params": {"callback_url": "https://a.example"}}, ["image_to_video_params", "callback_url"]),
    ],
)  # fmt: skip
async def test_a_broken_rule_of_the_chain_names_its_path(service: Service, input: Json, path: list[str]) -> None:
    prompts = {"text_to_image_prompt": "a boat", "image_to_video_prompt": "it moves"}
    error = refusal(await service.api.post(CREATE, json={"input": prompts | input}), 400, "invalid_chain_input")
    assert error["details"]["path"] == path
    assert list(error["details"]["fieldErrors"])
    assert error["guidance"]["summary"] and error["guidance"]["what_to_try_next"]


async def test_details_have_both_lists_wherever_a_schema_is_not_met(service: Service) -> None:
    wrong_id = refusal(await service.anyone.get("/api/v1/chains/get/42"), 400, "invalid_run_id")
    assert wrong_id["details"] == {"formErrors": [wrong_id["message"]], "fieldErrors": {}}
    envelope = refusal(await service.api.post(CREATE, json={"metadata": 5}), 400, "invalid_request")
    assert envelope["details"] == {"formErrors": [], "fieldErrors": {"metadata": ["metadata must be an object"]}}


# ---- limits and what counts as absent -------------------------------------------------------------------------------


def _nested(levels: int) -> Json:
    value: Json = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


AT_THE_LIMIT: dict[str, Json] = {
    "depth": _nested(12),
    "keys": {f"k{number}": 1 for number in range(200)},
    "items": {"a": [0] * 100},
    "values": {f"k{number}": [0] * 98 for number in range(10)},
    "text": {"a": "é" * 4_096},
    "bytes": {"a": "x" * 8_000, "b": "x" * 8_000, "c": "x" * 362},
}
BEYOND: dict[str, Json] = {
    "depth": _nested(13),
    "keys": {f"k{number}": 1 for number in range(201)},
    "items": {"a": [0] * 101},
    "values": {f"k{number}": [0] * 100 for number in range(10)},
    "text": {"a": "é" * 4_097},
    "bytes": {"a": "x" * 8_000, "b": "x" * 8_000, "c": "x" * 363},
}


@pytest.mark.parametrize("limit", sorted(AT_THE_LIMIT))
async def test_metadata_is_taken_up_to_each_limit_and_no_further(service: Service, limit: str) -> None:
    body: dict[str, Any] = drawn("limits") | {"metadata": AT_THE_LIMIT[limit]}
    assert (await service.api.post(f"{CREATE}?dry_run=true", json=body)).status_code == 200
    body["metadata"] = BEYOND[limit]
    error = refusal(await service.api.post(f"{CREATE}?dry_run=true", json=body), 400, "invalid_request")
    assert list(error["details"]["fieldErrors"]) == ["metadata"]


@pytest.mark.parametrize("absent", [None, "", "  "])
async def test_an_empty_callback_address_is_none(service: Service, absent: str | None) -> None:
    run = await service.create("chain1", drawn("no callback", webhook_url=absent))
    await service.succeeded(run["id"])
    answer = await service.api.get(f"/api/v1/chains/runs/{run['id']}/deliveries")
    assert answer.json()["data"] == []


async def test_what_was_not_sent_is_not_shown(service: Service) -> None:
    answer = await service.api.post(CREATE, json=drawn("bare", metadata={}), headers={"x-request-id": "not fit"})
    run = answer.json()
    assert {"metadata", "client_request_id", "error", "webhook_url"}.isdisjoint(run)
    for key in ("generation_output_file", "generation_input_file", "error", "provider_metadata"):
        assert key not in run["steps"][1]
    assert (run["steps"][0]["started_at"], run["steps"][0]["completed_at"]) == (None, None)
    await service.cancel(run["id"])


async def test_unknown_keys_beside_input_are_ignored(service: Service) -> None:
    run = await service.create("chain1", drawn("extras", execution={"type": "self_control"}, surprise=[1]))
    assert "surprise" not in run
    await service.cancel(run["id"])


async def test_reading_and_canceling_stay_in_no_cache_and_a_cancel_reads_no_body(service: Service) -> None:
    run = await service.create("chain1", drawn("uncached"))
    await service.succeeded(run["id"])
    read = await service.api.get(f"/api/v1/chains/get/{run['id']}")
    canceled = await service.api.post(f"/api/v1/chains/cancel/{run['id']}", content=b"{not json")
    assert canceled.status_code == 200
    assert canceled.json() == read.json()
    assert (read.headers["cache-control"], canceled.headers["cache-control"]) == ("no-store", "no-store")


# ---- credentials ----------------------------------------------------------------------------------------------------

_LEAK = "sk" + "-0123456789abcdefghijABCDEF"


@pytest.mark.parametrize(
    "params",
    [
        {"x-api-key": _LEAK},
        {"nested": [{"Client_Secret": _LEAK}]},
        {"prompt": f"a boat named {_LEAK}"},
        {"generation_negative_prompt": f"Bearer {_LEAK}"},
        {"image": [_LEAK]},
    ],
)
@pytest.mark.parametrize("path", [CREATE, "/api/v1/chains/chain1/estimate"])
async def test_what_looks_like_a_credential_is_refused_and_never_repeated(
    service: Service, path: str, params: Json
) -> None:
    body = {"input": {"text_to_image_params": {"prompt": "a boat"} | params, "image_to_video_prompt": "it moves"}}
    answer = await service.api.post(path, json=body)
    refusal(answer, 400, "invalid_chain_input")
    assert _LEAK not in answer.text


async def test_a_prompt_that_speaks_of_credentials_is_none(service: Service) -> None:
    body = {
        "input": {
            "text_to_image_prompt": "a red API key on a cushion, a secret token beside it",
            "image_to_video_prompt": "Bearer of good news, password: none",
        }
    }
    assert (await service.api.post("/api/v1/chains/chain1/estimate", json=body)).status_code == 200


# ---- the schema of a chain's requests -------------------------------------------------------------------------------


async def test_a_chains_schema_is_served_and_linked_and_says_what_the_document_says(service: Service) -> None:
    document = (await service.anyone.get("/openapi.json")).json()
    for template in (await service.anyone.get("/api/v1/chains")).json()["data"]:
        schema = (await service.anyone.get(template["schema_url"])).json()
        jsonschema.Draft202012Validator.check_schema(schema)
        shown = document["components"]["schemas"][f"create.{template['slug']}"]
        fields = schema["properties"]["input"]["anyOf"][0]["properties"]
        assert set(fields) == {field["name"] for field in template["input_fields"]}
        assert set(shown["properties"]) == set(schema["properties"])
    refusal(await service.anyone.get("/api/v1/chains/chain9/schema"), 404, "chain_not_found")


# ---- what a schema says, to the letter ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/api/v1/keys", "GET, POST"),
        ("/api/v1/chains/runs/3b1c8a4e-52d7-4f0a-9c11-6f2f0b0f7a10/deliveries", "GET, POST"),
        (CREATE, "POST"),
    ],
)
async def test_a_wrong_method_is_told_every_method_that_the_path_has(service: Service, path: str, allow: str) -> None:
    answer = await service.api.put(path)
    refusal(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("GET", "/api/v1/chains/runs?created_before=0.5", None, "created_before"),
        ("GET", "/api/v1/spend?since=0", None, "since"),
        ("POST", "/api/v1/chains/runs/cancel", {"all": 1}, "all"),
        ("POST", "/api/v1/keys", {"caller": "x", "creates_per_minute": True}, "creates_per_minute"),
        ("PUT", "/api/v1/callers/x/caps", {"daily_cap": "5"}, "daily_cap"),
    ],
)
async def test_no_other_type_is_read_as_the_one_that_is_asked_for(
    service: Service, method: str, path: str, body: Json | None, field: str
) -> None:
    error = refusal(await service.api.request(method, path, json=body), 400, "invalid_request")
    assert list(error["details"]["fieldErrors"]) == [field]

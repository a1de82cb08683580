"""BabySea's API as a client meets it."""

import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.sandbox.babysea_calls import BOAT, DANCE, FLEX, call, create, made
from tests.support.sandbox_client import Sandbox
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.waiting import eventually


async def ended(sandbox: Sandbox, name: str, **more: Any) -> dict[str, Any]:
    async def read() -> dict[str, Any]:
        data: dict[str, Any] = (await call(sandbox, "GET", f"content/{name}", **more)).json()["data"]
        return data

    return await eventually(read, lambda data: data["generation_status"] not in ("pending", "processing"))


def problem(answer: httpx.Response) -> tuple[int, str, str]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["type"]


async def test_a_generation_goes_through_its_states_and_is_wrapped_in_the_envelope(sandbox: Sandbox) -> None:
    answer = await create(sandbox, generation_provider_order="replicate, bfl")
    envelope = answer.json()
    assert envelope.keys() == {"status", "request_id", "message", "timestamp", "data"}
    assert envelope["data"]["generation_provider_order"] == ["replicate", "bfl"]
    assert envelope["data"]["generation_initialized"] is True
    done = await ended(sandbox, envelope["data"]["generation_id"])
    assert done["generation_status"] == "succeeded"
    assert done["generation_provider_used"] == "replicate"
    assert done["generation_prompt"] == "a paper boat"
    assert done["generation_created_at"] <= done["generation_started_at"] <= done["generation_completed_at"]
    [url] = done["generation_output_file"]
    assert (await sandbox.http.get(url)).headers["content-type"] == "image/png"


async def test_a_clip_is_an_mp4_and_several_pictures_are_several_files(sandbox: Sandbox) -> None:
    clip = await ended(sandbox, await made(sandbox, DANCE, generation_input_file=["https://x.test/a.png"]))
    assert (await sandbox.http.get(clip["generation_output_file"][0])).headers["content-type"] == "video/mp4"
    pictures = await ended(sandbox, await made(sandbox, generation_output_number=3))
    assert len(pictures["generation_output_file"]) == 3


@pytest.mark.parametrize(
    ("key", "region", "code"),
    [
        ("", "", "BSE1001"),
        ("wrong", "", "BSE1002"),
        ("sandbox-babysea-expired", "", "BSE1002"),
        ("sandbox-babysea-eu", "", "BSE1002"),
        ("sandbox-babysea", "/jp", "BSE1002"),
        ("sandbox-babysea-read_only", "", "BSE1003"),
        ("sandbox-babysea-monitor_only", "", "BSE1003"),
    ],
)
async def test_a_key_must_be_right_in_its_region_and_have_the_scope(
    sandbox: Sandbox, key: str, region: str, code: str
) -> None:
    assert problem(await create(sandbox, key=key, region=region))[1] == code


async def test_generate_only_makes_and_reads_and_cannot_cancel(sandbox: Sandbox) -> None:
    key = "sandbox-babysea-generate_only"
    name = await made(sandbox, key=key)
    assert (await call(sandbox, "GET", f"content/{name}", key=key)).status_code == 200
    refused = await call(sandbox, "POST", f"content/generation/cancel/{name}", key=key)
    assert problem(refused)[1] == "BSE1003"


async def test_regions_are_apart_and_so_are_accounts(sandbox: Sandbox) -> None:
    name = await made(sandbox, key="sandbox-babysea-eu", region="/eu")
    assert (await call(sandbox, "GET", f"content/{name}", key="sandbox-babysea-eu", region="/eu")).status_code == 200
    assert problem(await call(sandbox, "GET", f"content/{name}"))[1] == "BSE4001"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "nothing"),
        ("POST", "generate/image/flux-2-flex"),
        ("POST", "generate/sound/bfl/flux-2-flex"),
        ("GET", "generate/image/bfl/flux-2-flex"),
        ("POST", "generate/image/bfl/flux-2-flex?seed=1"),
        ("GET", "content/list?page=1"),
        ("GET", "status?x=1"),
        ("DELETE", "content/generation/cancel/x"),
    ],
)
async def test_what_the_published_api_has_not_the_firewall_refuses_in_plain_text(
    sandbox: Sandbox, method: str, path: str
) -> None:
    answer = await call(sandbox, method, path)
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/plain")


async def test_every_answer_tells_the_rate(sandbox: Sandbox) -> None:
    for answer in (await create(sandbox), await call(sandbox, "GET", "status"), await create(sandbox, key="wrong")):
        assert {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"} <= answer.headers.keys()


@pytest.mark.parametrize(
    ("model", "body", "field"),
    [
        (FLEX, {"generation_prompt": " "}, "generation_prompt"),
        (FLEX, {"generation_ratio": "21:9"}, "generation_ratio"),
        (FLEX, {"generation_output_format": "jpeg"}, "generation_output_format"),
        (FLEX, {"generation_output_number": "1"}, "generation_output_number"),
        (FLEX, {"generation_output_number": 5}, "generation_output_number"),
        (FLEX, {"generation_duration": 5}, "generation_duration"),
        (FLEX, {"generation_provider_order": "bfl, byteplus"}, "generation_provider_order"),
        (FLEX, {"generation_input_file": ["data:image/png;base64,AAAA"]}, "generation_input_file"),
        (FLEX, {"generation_input_file": ["https://x.test/a.png"] * 9}, "generation_input_file"),
        (FLEX, {"prompt": "twice"}, "prompt"),
        (DANCE, {"generation_duration": 3}, "generation_duration"),
        (DANCE, {"generation_resolution": "4k"}, "generation_resolution"),
        (DANCE, {"generation_resolution": None}, "generation_resolution"),
        (DANCE, {"generation_steps": 5}, "generation_steps"),
        ("video/google/veo-2", {"generation_generate_audio": True, "generation_resolution": None}, "generate_audio"),
    ],
)
async def test_a_wrong_word_is_named(sandbox: Sandbox, model: str, body: dict[str, Any], field: str) -> None:
    answer = await create(sandbox, model, **body)
    assert problem(answer) == (400, "BSE2001", "invalid_input")
    assert field in answer.json()["error"]["details"]["field"]
    assert await sandbox.paid_starts() == 0


async def test_a_model_has_words_of_its_own(sandbox: Sandbox) -> None:
    assert (await create(sandbox, generation_steps=20)).status_code == 200


async def test_a_model_makes_one_kind_and_a_body_has_its_limit(sandbox: Sandbox) -> None:
    assert problem(await create(sandbox, "video/bfl/flux-2-flex"))[2] == "model_not_found"
    assert problem(await create(sandbox, generation_prompt="x" * 103_000)) == (413, "BSE2010", "payload_too_large")


async def test_a_key_gives_the_first_answer_again_and_refuses_another_body(sandbox: Sandbox) -> None:
    idem = f"intent:{uuid4()}"
    first, again = [await create(sandbox, idem=idem) for _ in range(2)]
    assert first.json() == again.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert problem(await create(sandbox, idem=idem, generation_prompt="another"))[:2] == (409, "BSE2015")
    assert await sandbox.paid_starts() == 1


@pytest.mark.parametrize("idem", ["a b", "x" * 256, "slash/slash"])
async def test_a_key_has_its_form(sandbox: Sandbox, idem: str) -> None:
    assert problem(await create(sandbox, idem=idem))[:2] == (400, "BSE2001")


async def test_an_error_leaves_the_key_free(sandbox: Sandbox) -> None:
    idem = f"intent:{uuid4()}"
    assert (await create(sandbox, idem=idem, generation_prompt="[moderate]")).status_code == 422
    assert (await create(sandbox, idem=idem)).status_code == 200


async def test_a_key_whose_first_request_is_under_way_is_in_progress(http: httpx.AsyncClient) -> None:
    async with running_sandbox(replace(QUICK, babysea_start_seconds=30)) as url:
        sandbox, idem = Sandbox(url, http), f"intent:{uuid4()}"
        body = json.dumps(BOAT).encode()
        # Its answer is not waited for: the first request stays open while the second comes.
        with pytest.raises(httpx.ReadTimeout):
            await call(
                sandbox,
                "POST",
                f"generate/{FLEX}",
                content=body,
                headers={"idempotency-key": idem},
                timeout=httpx.Timeout(5, read=0.3),
            )
        again = await call(sandbox, "POST", f"generate/{FLEX}", content=body, headers={"idempotency-key": idem})
        assert problem(again)[:2] == (409, "BSE2016")
        assert again.json()["error"]["retryable"] is True


async def test_a_key_is_forgotten_in_the_end(http: httpx.AsyncClient) -> None:
    async with running_sandbox(replace(QUICK, babysea_key_seconds=0)) as url:
        sandbox = Sandbox(url, http)
        first, second = [await made(sandbox, idem="intent:once") for _ in range(2)]
        assert first != second


async def balance(sandbox: Sandbox) -> float:
    amount: float = (await call(sandbox, "GET", "user/billing")).json()["data"]["credit_balance"]
    return amount


async def test_success_costs_what_the_estimate_said_and_failure_costs_nothing(http: httpx.AsyncClient) -> None:
    async with running_sandbox(replace(QUICK, babysea_credits=1.0)) as url:
        sandbox = Sandbox(url, http)
        query = {"count": 1, "duration": 5, "resolution": "480p", "audio": "true"}
        told = (await call(sandbox, "GET", "estimate/bytedance/seedance-1.5-pro", params=query)).json()["data"]
        assert told["cost_total_consumed"] == 0.225
        assert told["credit_balance_max_affordable"] == 4
        await ended(sandbox, await made(sandbox, DANCE, generation_generate_audio=True))
        assert await balance(sandbox) == 0.775
        failed = await ended(sandbox, await made(sandbox, generation_prompt="[moderate-output]"))
        assert (failed["generation_status"], failed["generation_error_code"]) == ("failed", "BSE2006")
        assert await balance(sandbox) == 0.775
        assert problem(await create(sandbox, DANCE, generation_duration=12, generation_resolution="1080p")) == (
            402,
            "BSE1004",
            "insufficient_credits",
        )


async def test_an_estimate_counts_between_one_and_a_hundred(sandbox: Sandbox) -> None:
    for count, reckoned in ((-5, 1), (3, 3), (500, 100)):
        answer = await call(sandbox, "GET", "estimate/bfl/flux-schnell", params={"count": count})
        data = answer.json()["data"]
        assert (data["assets_count"], data["cost_total_consumed"]) == (reckoned, round(0.004 * reckoned, 3))


async def test_the_next_upstream_takes_over_and_a_chain_of_one_fails(sandbox: Sandbox) -> None:
    replaced = await ended(sandbox, await made(sandbox, generation_prompt="[failover]"))
    assert replaced["generation_provider_used"] == "replicate"
    lost = await ended(sandbox, await made(sandbox, generation_prompt="[failover]", generation_provider_order="bfl"))
    assert (lost["generation_status"], lost["generation_error_code"]) == ("failed", "BSE3003")


async def test_only_what_is_under_way_is_canceled_and_only_what_has_ended_deleted(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "never_ends", "provider": "babysea"})
    name = await made(sandbox)
    assert (await call(sandbox, "DELETE", f"content/{name}")).status_code == 400
    canceled = (await call(sandbox, "POST", f"content/generation/cancel/{name}")).json()["data"]
    assert (canceled["generation_status"], canceled["credits_refunded"]) == ("canceled", True)
    assert (await ended(sandbox, name))["generation_status"] == "canceled"
    assert (await call(sandbox, "POST", f"content/generation/cancel/{name}")).status_code == 400
    assert (await call(sandbox, "DELETE", f"content/{name}")).json()["data"]["generation_id"] == name
    assert (await call(sandbox, "GET", f"content/{name}")).status_code == 404


async def test_the_list_is_newest_first_and_counts_beside_its_data(sandbox: Sandbox) -> None:
    key = f"sandbox-of-the-list-{uuid4()}".replace("-us", "").replace("-eu", "").replace("-jp", "")
    names = [await made(sandbox, key=key) for _ in range(3)]
    page = (await call(sandbox, "GET", "content/list", key=key, params={"limit": 2, "offset": 0})).json()
    assert (page["total"], page["limit"], page["offset"]) == (3, 2, 0)
    assert [one["generation_id"] for one in page["data"]["generations"]] == names[:0:-1]
    assert (await call(sandbox, "GET", "content/list", key=key, params={"limit": 101})).status_code == 400


async def test_catalogue_and_health_are_small_and_fixed(sandbox: Sandbox) -> None:
    models = (await call(sandbox, "GET", "library/models")).json()["data"]["models"]
    assert {"model_type", "model_identifier", "model_pricing", "schema", "specific_schema"} <= models[0].keys()
    for path in ("library/providers", "health/inference/models", "health/cache", "status", "user/account", "usage"):
        assert (await call(sandbox, "GET", path)).status_code == 200

"""A paid start whose answer was lost, as its caller sees it: the class of the model, and what was done about it."""

from pathlib import Path

import pytest
from temporalio.client import Client

from tests.support.bodies import FLUX, drawn
from tests.support.service import Json, Service, running_service

SEEDREAM = "bytedance/seedream-4.5"


def asked(model: str, **more: object) -> Json:
    body = drawn("lost on the way", **more)
    body["input"]["chain_models"]["text_to_image_model"] = model
    return body


async def lose_one(service: Service, model: str) -> None:
    raw_id = model.partition("/")[2] if model == FLUX else "seedream-4-5-251128"
    await service.sandbox.put_faults({"kind": "reset", "when": "after", "model": raw_id, "operation": "submit"})


async def test_a_job_that_introduced_itself_is_adopted_and_the_step_says_so(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path) as service:
        await lose_one(service, FLUX)
        run = await service.succeeded((await service.create("chain1", asked(FLUX)))["id"])
        [attempt] = run["steps"][0]["attempts"]
        assert (attempt["safety_class"], attempt["outcome"]) == ("B", "succeeded")
        assert "adopted" in attempt["note"]
        assert await service.sandbox.paid_starts() == 2


@pytest.mark.parametrize("again", [False, True])
async def test_what_nobody_can_find_again_is_named_with_its_cost_or_made_again_where_the_caller_asked(
    temporal: Client, tmp_path: Path, again: bool
) -> None:
    async with running_service(temporal, tmp_path) as service:
        await lose_one(service, SEEDREAM)
        created = await service.create("chain1", asked(SEEDREAM, resubmit_unknown=again))
        run = await service.ended(created["id"])
        first, *others = run["steps"][0]["attempts"]
        assert (first["safety_class"], first["outcome"]) == ("C", "unknown")
        assert first["error"]["code"] == "start_outcome_unknown"
        assert "0.04 USD are at risk" in first["error"]["message"]
        assert run["steps"][0]["cost"]["wasted"] == {"currency": "USD", "low": "0", "high": "0.04"}
        if again:
            assert run["status"] == "succeeded"
            assert [attempt["outcome"] for attempt in others] == ["succeeded"]
        else:
            assert (run["status"], run["error"]["code"]) == ("failed", "start_outcome_unknown")
            assert run["error"]["guidance"]["what_to_try_next"]
            assert others == []

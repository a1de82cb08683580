"""A step that several models may do is paid once: in doubt about the first, no other one is started."""

from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from domain.plan import ChainPlan
from domain.runs import Snapshot
from tests.support.orders import catalogue
from tests.support.stack import Stack, running_babysea_stack, running_stack
from tests.support.trials import SOON, trial

FLUX, SEEDREAM = "bfl/flux-2-flex", "bytedance/seedream-4.5"
NOBODY = "http://127.0.0.1:9"


def at_babysea(**more: Any) -> ChainPlan:
    return trial(FLUX, then=SEEDREAM, mode="babysea", looks=SOON, **more)[0]


def codes(snapshot: Snapshot) -> list[str | None]:
    return [attempt.error.code if attempt.error else None for attempt in snapshot.steps[-1].attempts]


async def keys_sent(stack: Stack) -> set[str]:
    return {row["headers"]["idempotency-key"] for row in await stack.sandbox.jobs() if row["operation"] == "submit"}


# ---- class A: the same key again -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lost",
    [
        {"kind": "reset"},
        {"kind": "status", "status": 503},
        {"kind": "error_in_200"},
        {"kind": "no_job_id"},
        {"kind": "truncated", "declared": "whole"},
    ],
    ids=lambda lost: str(lost["kind"]),
)
async def test_a_lost_answer_of_babysea_is_asked_for_under_its_key_and_no_other_model_is_started(
    temporal: Client, tmp_path: Path, lost: dict[str, Any]
) -> None:
    async with running_babysea_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(lost | {"model": FLUX, "when": "after"})
        ended = await stack.succeed(at_babysea())
        assert codes(ended) == [None]
        assert len(await keys_sent(stack)) == 1
        assert await stack.sandbox.paid_starts() == 1


@pytest.mark.parametrize("then", [429, 409])
async def test_what_babysea_refuses_after_a_lost_answer_is_waited_out(
    temporal: Client, tmp_path: Path, then: int
) -> None:
    """Nothing was started by the second request. The first may have, so the turn is not another model's."""
    async with running_babysea_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(
            {"kind": "reset", "model": FLUX, "when": "after"},
            {"kind": "status", "status": then, "headers": {"retry-after": "1"}, "model": FLUX, "count": 2},
        )
        ended = await stack.succeed(at_babysea())
        assert codes(ended) == [None]
        assert len(await keys_sent(stack)) == 1
        assert await stack.sandbox.paid_starts() == 1


async def test_a_key_refused_after_a_lost_answer_leaves_the_start_unknown(temporal: Client, tmp_path: Path) -> None:
    async with running_babysea_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(
            {"kind": "reset", "model": FLUX, "when": "after"},
            {"kind": "status", "status": 401, "model": FLUX, "count": 1000},
        )
        ended = await stack.finish(at_babysea(deadline=6.0))
        assert codes(ended) == ["start_outcome_unknown"]
        assert await stack.sandbox.paid_starts() == 1


# ---- a job that nobody saw end -------------------------------------------------------------------------------------


async def test_while_a_job_can_not_be_read_no_other_model_is_started(temporal: Client, tmp_path: Path) -> None:
    """It may well go on, or have ended and be charged for."""
    async with running_stack(temporal, tmp_path) as stack:
        raw_id = catalogue().models[FLUX].raw_id
        await stack.sandbox.put_faults(
            {"kind": "status", "status": 500, "operation": "status", "model": raw_id, "count": 1000}
        )
        ended = await stack.finish(trial(FLUX, then=SEEDREAM, looks=SOON, deadline=4.0)[0])
        assert codes(ended) == ["provider_unavailable"]
        assert await stack.sandbox.paid_starts() == 1


# ---- certain failures ----------------------------------------------------------------------------------------------


async def test_where_nobody_listens_nothing_was_sent_and_the_next_model_has_its_turn(
    temporal: Client, tmp_path: Path
) -> None:
    told = {"BFL_API_BASE_URL": f"{NOBODY}/bfl"}
    async with running_stack(temporal, tmp_path, told=told, trusted_origins=NOBODY) as stack:
        ended = await stack.succeed(trial(FLUX, then=SEEDREAM, deadline=2.0)[0])
        assert codes(ended) == ["provider_network_error", None]
        assert await stack.sandbox.paid_starts() == 1

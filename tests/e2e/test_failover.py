"""A step that one provider cannot do is done by the next, and nothing is paid for twice."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from domain.plan import ChainPlan, RunOptions
from domain.runs import AttemptOutcome, RunStatus, Snapshot
from tests.support.bodies import SEED_EXAMPLE
from tests.support.orders import order, with_candidates
from tests.support.sandbox_server import QUICK
from tests.support.service import ENDED, running_service
from tests.support.stack import running_stack
from tests.support.waiting import eventually

FLUX, SEEDREAM = "bfl/flux-2-pro", "bytedance/seedream-4.5"
SEEDANCE, SILENT = "bytedance/seedance-1.5-pro", "relaydance/seedance-1-5-pro-no-audio"


def fault(model: str, **what: Any) -> dict[str, Any]:
    return {"model": order(model).steps[0].candidates[0].raw_id, "operation": "submit"} | what


def codes(snapshot: Snapshot) -> list[str | None]:
    return [attempt.error.code if attempt.error else None for attempt in snapshot.steps[0].attempts]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "provider_unauthorized"),
        (402, "provider_quota_exceeded"),
        (403, "provider_unauthorized"),
        (404, "provider_not_found"),
    ],
)
async def test_what_one_account_cannot_do_the_next_does(
    temporal: Client, tmp_path: Path, status: int, code: str
) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(fault(FLUX, kind="status", status=status))
        ended = await stack.succeed(with_candidates(FLUX, SEEDREAM))
        assert codes(ended) == [code, None]
        assert [attempt.model for attempt in ended.steps[0].attempts] == [FLUX, SEEDREAM]
        assert await stack.sandbox.paid_starts() == 1


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({"kind": "status", "status": 400}, "provider_invalid_request"),
        ({"kind": "status", "status": 422}, "provider_invalid_request"),
        ({"kind": "moderated"}, "provider_content_moderated"),
    ],
)
async def test_what_is_wrong_with_the_request_itself_is_not_carried_on_to_the_next(
    temporal: Client, tmp_path: Path, what: dict[str, Any], code: str
) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(fault(FLUX, **what))
        ended = await stack.finish(with_candidates(FLUX, SEEDREAM))
        assert codes(ended) == [code]
        assert ended.error is not None and ended.error.code == code


async def test_a_start_that_the_providers_list_denies_is_made_again(temporal: Client, tmp_path: Path) -> None:
    # The list is scarce: with limits, a look each 0.1 seconds would be refused.
    async with running_stack(temporal, tmp_path, config=replace(QUICK, limits=False)) as stack:
        await stack.sandbox.put_faults(fault(SEEDANCE, kind="status", status=503, count=1))
        ended = await stack.succeed(_searching_fast(order(SEEDANCE)))
        assert codes(ended) == ["provider_never_started", None]
        assert await stack.sandbox.paid_starts() == 1


async def test_a_start_that_nobody_can_deny_is_never_carried_on(temporal: Client, tmp_path: Path) -> None:
    """Its job may exist and be paid for: another provider would be paid as well."""
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(fault(SEEDREAM, kind="status", status=500, when="after"))
        ended = await stack.finish(with_candidates(SEEDREAM, FLUX))
        assert codes(ended) == ["start_outcome_unknown"]
        assert await stack.sandbox.paid_starts() == 1


async def test_a_caller_may_ask_for_an_unknown_start_to_be_made_again(temporal: Client, tmp_path: Path) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(fault(SEEDREAM, kind="reset", when="after", count=1))
        plan = replace(order(SEEDREAM), options=RunOptions(resubmit_unknown=True))
        ended = await stack.succeed(plan)
        assert [attempt.outcome for attempt in ended.steps[0].attempts] == [
            AttemptOutcome.UNKNOWN,
            AttemptOutcome.SUCCEEDED,
        ]
        assert await stack.sandbox.paid_starts() == 2, "the risk that the caller took"


async def test_unknown_starts_are_not_made_again_for_ever(temporal: Client, tmp_path: Path) -> None:
    async with running_stack(temporal, tmp_path) as stack:
        await stack.sandbox.put_faults(fault(SEEDREAM, kind="reset", count=9))
        ended = await stack.finish(replace(order(SEEDREAM), options=RunOptions(resubmit_unknown=True)))
        assert codes(ended) == ["start_outcome_unknown"] * 3


async def test_the_unchanged_example_succeeds_while_one_provider_is_out(temporal: Client, tmp_path: Path) -> None:
    """BytePlus answers 503 to every video; the deployment falls back to RelayDance, and the step says so."""
    async with running_service(temporal, tmp_path, fallbacks=f"{SEEDANCE}={SILENT}") as service:
        await service.sandbox.put_faults(fault(SEEDANCE, kind="status", status=503, count=99))
        created = await service.create("chain1", SEED_EXAMPLE)

        look = partial(service.get, created["id"])
        run = await eventually(look, lambda run: run["status"] in ENDED, longest=120)
        assert run["status"] == RunStatus.SUCCEEDED, run
        video = run["steps"][1]
        assert video["model_identifier"] == SEEDANCE
        assert video["served_by"] == {"provider": "relaydance", "model": SILENT}
        assert [attempt["outcome"] for attempt in video["attempts"]] == ["failed", "succeeded"]
        assert video["attempts"][1]["not_told"] == ["exact duration (it gets 4 seconds)"]
        assert await service.sandbox.paid_starts() == 2


def _searching_fast(plan: ChainPlan) -> ChainPlan:
    [step] = plan.steps
    candidates = tuple(replace(one, looks=replace(one.looks, search_pause=0.1)) for one in step.candidates)
    return replace(plan, steps=(replace(step, candidates=candidates),))

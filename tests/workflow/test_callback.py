"""The final callback: its signatures, its schedule, and that it says the same every time."""

import json
from datetime import UTC, datetime

from standardwebhooks import Webhook

from activities.callbacks import babychain_signature, standard_secret
from activities.calls import Delivery
from tests.support.plans import toy_plan
from tests.support.runs import SECRETS
from tests.support.skipping import time_passing
from tests.workflow.conftest import Workshop


async def delivered(workshop: Workshop, *answers: int) -> Delivery:
    workshop.receiver.answers = list(answers)
    plan = toy_plan(models=("toy/image",), webhook_url=workshop.receiver_url)
    handle = await workshop.bench.start(plan)
    await handle.result()
    after = workshop.bench.client.get_workflow_handle(f"after-{plan.run_id}", result_type=Delivery)
    async with time_passing(workshop.bench.client):
        delivery: Delivery = await after.result()
    return delivery


def test_the_contracts_vector_is_signed_to_the_byte() -> None:
    moment = datetime.fromtimestamp(1779900000, UTC)
    signed = babychain_signature(["callback_test_secret"], b'{"id":"x"}', moment)
    assert signed == "t=1779900000,v1=4be849b707b1ee6f8d00c713bac94f33bd3bbce04ee34c6f62cacaf294335793"


async def test_one_callback_carries_the_run_and_both_signatures(workshop: Workshop) -> None:
    delivery = await delivered(workshop)
    assert delivery.delivered
    [call] = workshop.receiver.calls
    run = json.loads(call.body)
    assert run["status"] == "succeeded"
    assert run["steps"][0]["served_by"] == {"provider": "toy", "model": "toy/image"}
    assert call.headers["x-babychain-event"] == "chain_run.completed"
    moment = datetime.fromtimestamp(int(call.headers["webhook-timestamp"]), UTC)
    secret = SECRETS["callback_secret"]
    assert call.headers["x-babychain-signature"] == babychain_signature([secret], call.body, moment)
    assert Webhook(standard_secret(secret)).verify(call.body, call.headers) == run


async def test_a_receiver_that_is_down_gets_the_same_bytes_and_id_again(workshop: Workshop) -> None:
    delivery = await delivered(workshop, 500, 302, 503)
    assert delivery.delivered
    assert len(workshop.receiver.calls) == 4
    assert len({call.body for call in workshop.receiver.calls}) == 1
    assert len({call.headers["webhook-id"] for call in workshop.receiver.calls}) == 1


async def test_a_receiver_that_says_gone_is_left_alone(workshop: Workshop) -> None:
    delivery = await delivered(workshop, 410)
    assert delivery.gone
    assert len(workshop.receiver.calls) == 1


async def test_deliveries_end_after_the_eighth(workshop: Workshop) -> None:
    delivery = await delivered(workshop, *[500] * 20)
    assert not delivery.delivered
    assert len(workshop.receiver.calls) == 8

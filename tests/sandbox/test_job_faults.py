"""Jobs that end badly, never, or otherwise than they said."""

from typing import Any

import httpx
import pytest

from tests.support.sandbox_client import Sandbox
from tests.support.waiting import eventually


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ({"kind": "moderated"}, "Content Moderated"),
        ({"kind": "moderated", "stage": "input"}, "Request Moderated"),
        ({"kind": "failed"}, "Error"),
        ({"kind": "failed", "word": "Failed"}, "Failed"),
    ],
)
async def test_a_flux_task_ends_in_the_providers_words(sandbox: Sandbox, rule: dict[str, Any], status: str) -> None:
    await sandbox.put_faults(rule)
    end = await sandbox.bfl_end((await sandbox.bfl()).json()["id"])
    assert (end["status"], end["result"]) == (status, None)
    assert [row["charged"] for row in await sandbox.jobs()] == [0]


@pytest.mark.parametrize("code", [422, 503])
async def test_a_failed_flux_task_may_be_polled_as_an_http_error(sandbox: Sandbox, code: int) -> None:
    await sandbox.put_faults({"kind": "failed", "status": code})
    task_id = (await sandbox.bfl()).json()["id"]

    async def read() -> httpx.Response:
        return await sandbox.poll(task_id)

    end = await eventually(read, lambda answer: answer.status_code != 200)
    assert (end.status_code, end.json()["status"]) == (code, "Error")


async def test_a_seedance_task_fails_with_an_error_object(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "failed"}, {"kind": "moderated"}, {"kind": "failed", "word": "expired"})
    for word, code in (
        ("failed", "InternalServiceError"),
        ("failed", "OutputVideoSensitiveContentDetected"),
        ("expired", "TaskExpired"),
    ):
        end = await sandbox.task_in((await sandbox.seedance()).json()["id"], "failed", "expired")
        assert (end["status"], end["error"]["code"]) == (word, code)


async def test_without_credit_nothing_is_started(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "no_credit", "count": 3})
    assert (await sandbox.bfl()).status_code == 402
    for answer in (await sandbox.seedance(), await sandbox.seedream()):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "AccountOverdueError")
    assert await sandbox.paid_starts() == 0


async def test_a_job_can_fail_at_once(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "failed", "delay": 0})
    assert (await sandbox.task_in((await sandbox.seedance()).json()["id"], "failed"))["error"]


async def test_an_endless_job_stays_running(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "never_ends"})
    task_id = (await sandbox.seedance()).json()["id"]
    await sandbox.task_in(task_id, "running")
    later = (await sandbox.seedance()).json()["id"]
    await sandbox.task_in(later, "succeeded")
    assert (await sandbox.task(task_id)).json()["status"] == "running"


async def test_an_unknown_word_is_shown_from_the_start_of_the_run(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "unknown_status"}, {"kind": "unknown_status", "word": "Simmering"})
    flux = (await sandbox.bfl()).json()["id"]
    seedance = (await sandbox.seedance()).json()["id"]
    assert (await sandbox.bfl_end(flux))["status"] == "Daydreaming"
    await sandbox.task_in(seedance, "Simmering")


async def test_an_unknown_word_can_befall_a_single_read(sandbox: Sandbox) -> None:
    task_id = (await sandbox.bfl()).json()["id"]
    await sandbox.put_faults({"kind": "unknown_status", "operation": "status"})
    assert (await sandbox.poll(task_id)).json()["status"] == "Daydreaming"
    assert (await sandbox.bfl_end(task_id))["status"] == "Ready"


async def test_a_status_can_go_back(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "status_back"})
    task_id = (await sandbox.seedance()).json()["id"]
    await eventually(sandbox.jobs, lambda rows: rows[0]["state"] == "succeeded")
    words = [(await sandbox.task(task_id)).json()["status"] for _ in range(3)]
    assert words == ["succeeded", "running", "succeeded"]


async def test_a_job_can_vanish_once_its_success_was_read(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "gone_after_success", "count": 2})
    flux = (await sandbox.bfl()).json()["id"]
    seedance = (await sandbox.seedance()).json()["id"]
    assert (await sandbox.bfl_end(flux))["status"] == "Ready"
    assert (await sandbox.poll(flux)).json()["status"] == "Task not found"
    await sandbox.task_in(seedance, "succeeded")
    assert (await sandbox.task(seedance)).status_code == 404


async def test_an_endless_picture_call_ends_when_the_ledger_is_emptied(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "never_ends"})
    with pytest.raises(httpx.ReadTimeout):
        await sandbox.http.post(
            f"{sandbox.url}/byteplus/api/v3/images/generations",
            json={"model": "seedream-4-0-250828", "prompt": "x"},
            headers={"authorization": "Bearer sandbox"},
            timeout=0.3,
        )
    assert await sandbox.paid_starts() == 1


async def test_a_rule_about_polls_passes_by_a_call_that_has_none(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "gone_after_success", "provider": "byteplus"})
    assert (await sandbox.seedream()).status_code == 200
    task_id = (await sandbox.seedance()).json()["id"]
    await sandbox.task_in(task_id, "succeeded")
    assert (await sandbox.task(task_id)).status_code == 404

"""The ledger and the fault rules, as outside tools use them."""

from typing import Any

import pytest

from tests.support.sandbox_client import Sandbox


async def test_health_answers(sandbox: Sandbox) -> None:
    assert (await sandbox.http.get(f"{sandbox.url}/_sandbox/health")).status_code == 200


async def test_the_ledger_tells_the_whole_story_of_a_call(sandbox: Sandbox) -> None:
    task_id = (await sandbox.bfl(input_image="A" * 400)).json()
    assert task_id  # the picture is refused, and the call stands in the ledger all the same
    finished = (await sandbox.bfl(seed=1, webhook_url="http://127.0.0.1:9/hook")).json()["id"]
    await sandbox.bfl_end(finished)
    refused, made = await sandbox.jobs()
    assert (refused["job_id"], refused["state"]) == (None, None)
    assert refused["body"]["input_image"].endswith("(400 characters)")
    assert made["job_id"] == finished
    assert (made["provider"], made["operation"], made["model"]) == ("bfl", "submit", "flux-2-pro")
    assert made["body"] == {"prompt": "a paper boat", "seed": 1, "webhook_url": "http://127.0.0.1:9/hook"}
    assert made["callback_url"] == "http://127.0.0.1:9/hook"
    assert made["state"] == "succeeded"
    assert made["polls"] >= 1
    assert made["times"]["received"] < made["times"]["started"] < made["times"]["ended"]
    assert "x-key" not in made["headers"]
    assert "sandbox-bfl" not in str(made)


async def test_calls_with_a_wrong_key_stand_in_the_ledger_without_a_job(sandbox: Sandbox) -> None:
    await sandbox.bfl(key="wrong")
    assert [row["job_id"] for row in await sandbox.jobs()] == [None]
    assert await sandbox.paid_starts() == 0


async def test_emptying_the_ledger_leaves_jobs_running(sandbox: Sandbox) -> None:
    task_id = (await sandbox.bfl()).json()["id"]
    await sandbox.http.delete(f"{sandbox.url}/_sandbox/jobs")
    assert await sandbox.jobs() == []
    assert (await sandbox.bfl_end(task_id))["status"] == "Ready"


async def test_emptying_the_ledger_forgets_jobs_that_would_never_end(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "never_ends"})
    task_id = (await sandbox.bfl()).json()["id"]
    await sandbox.http.delete(f"{sandbox.url}/_sandbox/jobs")
    assert (await sandbox.poll(task_id)).json()["status"] == "Task not found"


async def test_rules_are_shown_with_what_remains_of_them(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "status", "status": 500, "count": 2})
    await sandbox.bfl()
    shown = (await sandbox.http.get(f"{sandbox.url}/_sandbox/faults")).json()
    assert shown == [{"kind": "status", "operation": "submit", "status": 500, "count": 2, "remaining": 1}]
    await sandbox.put_faults()
    assert (await sandbox.http.get(f"{sandbox.url}/_sandbox/faults")).json() == []


async def test_the_first_live_rule_wins_and_is_used_up(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "status", "status": 500}, {"kind": "status", "status": 503})
    assert [(await sandbox.bfl()).status_code for _ in range(3)] == [500, 503, 200]


async def test_a_rule_lets_calls_pass_first(sandbox: Sandbox) -> None:
    await sandbox.put_faults({"kind": "status", "status": 500, "skip": 2, "count": 2})
    assert [(await sandbox.bfl()).status_code for _ in range(5)] == [200, 200, 500, 500, 200]


@pytest.mark.parametrize(
    ("rule", "is_struck"),
    [
        ({"provider": "bfl", "model": "flux-2-pro"}, True),
        ({"provider": "*", "model": "*"}, True),
        ({"provider": "byteplus"}, False),
        ({"model": "flux-2-max"}, False),
        ({"operation": "status"}, False),
    ],
)
async def test_a_rule_strikes_only_what_it_names(sandbox: Sandbox, rule: dict[str, Any], is_struck: bool) -> None:
    await sandbox.put_faults({"kind": "status", "status": 500, **rule})
    assert ((await sandbox.bfl()).status_code == 500) is is_struck


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ({"kind": "explode"}, "explode"),
        ({"kind": "reset", "colour": "red"}, "colour"),
        ({"kind": "reset", "location": "x"}, "location"),
        ({"kind": "reset", "operation": "poll"}, "operation"),
        ({"kind": "drop", "operation": "submit"}, "drop"),
        ({"kind": "reset", "provider": "acme"}, "acme"),
        ({"kind": "reset", "count": "2"}, "count"),
        ({"kind": "status"}, "status"),
        ({"kind": "redirect"}, "location"),
        ({"operation": "submit"}, "kind"),
    ],
)
async def test_a_rule_that_is_not_understood_is_named_and_changes_nothing(
    sandbox: Sandbox, rule: dict[str, Any], named: str
) -> None:
    await sandbox.put_faults({"kind": "hang"})
    answer = await sandbox.http.put(f"{sandbox.url}/_sandbox/faults", json=[{"kind": "reset"}, rule])
    assert answer.status_code == 400
    assert named in answer.json()["error"]
    assert "rule 1" in answer.json()["error"]
    shown = (await sandbox.http.get(f"{sandbox.url}/_sandbox/faults")).json()
    assert [live["kind"] for live in shown] == ["hang"]


@pytest.mark.parametrize("body", [b"{}", b"not json"])
async def test_rules_are_a_json_list(sandbox: Sandbox, body: bytes) -> None:
    assert (await sandbox.http.put(f"{sandbox.url}/_sandbox/faults", content=body)).status_code == 400

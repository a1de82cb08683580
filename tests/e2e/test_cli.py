"""The command line as processes against a running service: what people and scripts get to see, and exit codes."""

import json
import re
import signal
from importlib import metadata
from pathlib import Path

import pytest
from temporalio.client import Client

from babychain_client import verify_webhook
from sandbox.config import Config
from tests.support.bodies import FIRST_EXAMPLE, drawn
from tests.support.command_line import Caller, caller_environment
from tests.support.receiver import Receiver
from tests.support.runs import SECRETS
from tests.support.service import KEY, Service, running_service
from tests.support.serving import free_port, serving
from tests.support.waiting import eventually

SLOW = Config(url="http://127.0.0.1:0", second_port=0, picture_seconds=600, video_seconds=600, media="tiny")


@pytest.fixture
def caller(service: Service, tmp_path: Path) -> Caller:
    return Caller(caller_environment(str(service.api.base_url), tmp_path))


async def test_a_run_from_a_file_is_watched_and_its_files_fetched(caller: Caller, tmp_path: Path) -> None:
    file = tmp_path / "boat.json"
    file.write_text(json.dumps(drawn("from a file")))
    said = await caller.babychain("run", "chain1", "-i", str(file), "--watch", "--download", str(tmp_path / "out"))
    assert said.code == 0, said.err
    assert "text_to_image (bfl/flux-2-pro): succeeded" in said.out
    assert "● text_to_image ──▶ ● image_to_video" in said.out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["image_to_video.mp4", "text_to_image.jpeg"]


async def test_flags_make_the_request_and_win_over_json(service: Service, caller: Caller) -> None:
    given = json.dumps(drawn("of the JSON", metadata={"a": 1})["input"])
    words = ["--set", "text_to_image_params.prompt=of the flag", "--set", "image_to_video_params.duration=5"]
    words += ["-m", "text_to_image=bfl/flux-2-flex", "--tag", "flags", "--metadata", "order=7", "--max-cost", "5"]
    said = await caller.babychain("run", "chain1", "-i", given, *words)
    assert said.code == 0, said.err
    run = await service.succeeded(said.out.strip())
    assert run["input"]["chain_models"]["text_to_image_model"] == "bfl/flux-2-flex"
    assert run["input"]["text_to_image_params"]["prompt"] == "of the flag"
    assert run["input"]["image_to_video_params"]["duration"] == 5
    assert run["metadata"] == {"order": "7", "tags": ["flags"]}


async def test_one_prompt_serves_every_step_and_json_comes_out_whole(service: Service, caller: Caller) -> None:
    said = await caller.babychain("run", "chain1", "--prompt", "a boat for all", "--wait", "--json")
    assert said.code == 0, said.err
    assert said.json == await service.get(said.json["id"])
    assert said.json["input"]["image_to_video_prompt"] == "a boat for all"


async def test_a_prompt_is_what_the_providers_get_wherever_the_file_had_another(
    service: Service, caller: Caller
) -> None:
    said = await caller.babychain("run", "chain1", "-i", json.dumps(FIRST_EXAMPLE), "-p", "of the flag alone", "--wait")
    assert said.code == 0, said.err
    assert len(await service.submits(prompt="of the flag alone")) == 2


async def test_a_refused_request_is_exit_code_3_and_every_fault_is_named(caller: Caller) -> None:
    said = await caller.babychain("run", "chain1", "-i", "-", stdin='{"text_to_image_params": {"width": "wide"}}')
    assert (said.code, said.out) == (3, "")
    assert said.err.count("text_to_image_params.width") == 1
    told = await caller.babychain("run", "chain9", "--json")
    assert told.code == 3
    assert json.loads(told.err)["error"]["code"] == "chain_not_found"
    assert (await caller.babychain("run", "chain9", "-p", "no such chain")).code == 3


async def test_exit_codes_tell_a_wrong_command_line_from_an_api_that_is_away(tmp_path: Path) -> None:
    away = Caller(caller_environment(f"http://127.0.0.1:{free_port()}", tmp_path))
    assert (await away.babychain("get")).code == 2
    assert (await away.babychain("run", "chain1", "--wait", "--timeout", "-5")).code == 2
    assert (await away.babychain("run", "chain1", "--timeout", "5")).code == 2
    for key in ("", "clé"):
        said = await away.babychain("run", "chain1", "--idempotency-key", key)
        assert (said.code, "a key is 1 to 255 characters" in said.err) == (2, True)
    keyed = Caller({**away.env, "BABYCHAIN_API_KEY": "clé"})
    assert (await keyed.babychain("list")).err == "babychain: BABYCHAIN_API_KEY holds characters that no key has.\n"
    assert (await away.babychain("run", "chain1", "-s", "foo")).code == 2
    assert (await away.babychain("run", "chain1", "-d", __file__)).code == 2
    assert (await away.babychain("list", "--limit", "-1")).code == 2
    for words in (["templates"], ["providers", "list"]):
        said = await away.babychain(*words)
        assert said.code == 4
        assert f"Nothing answers at {away.env['BABYCHAIN_URL']}. Start it" in said.err
    assert (await Caller(caller_environment("localhost:8000", tmp_path)).babychain("templates")).code == 2
    version = await away.babychain("--version")
    assert (version.code, version.out.strip()) == (0, metadata.version("babychain-temporal"))


async def test_a_run_is_found_watched_and_read_by_later_commands(service: Service, caller: Caller) -> None:
    run = await service.create("chain1", drawn("found later", metadata={"tags": ["found-later"]}))
    watched = await caller.babychain("watch", run["id"], "--json")
    assert watched.code == 0
    assert [line["event"] for line in watched.lines[-2:]] == ["end", "ended"]
    assert watched.lines[-1]["data"] == await service.get(run["id"])
    listed = await caller.babychain("list", "--tag", "found-later", "--status", "succeeded", "--json")
    assert [row["id"] for row in listed.json["data"]] == [run["id"]]
    shown = await caller.babychain("get", run["id"])
    assert shown.code == 0
    assert run["id"] in shown.out
    canceled = await caller.babychain("cancel", run["id"], "--json")
    assert canceled.json["status"] == "succeeded"


async def test_each_line_of_a_file_is_one_run_however_often_it_is_started(
    service: Service, caller: Caller, tmp_path: Path
) -> None:
    file = tmp_path / "boats.jsonl"
    lines = [drawn("first of each"), drawn("second of each")["input"], {"text_to_image_params": {"width": "wide"}}]
    file.write_text("\n".join([*map(json.dumps, lines), "no JSON", json.dumps(drawn("first of each"))]) + "\n")
    asked = await caller.babychain("run", "chain1", "--each", str(file))
    assert asked.code == 1
    assert "--yes" in asked.err
    assert await service.submits(prompt="first of each") == []

    first = await caller.babychain("run", "chain1", "--each", str(file), "--yes", "--json", "--tag", "each")
    assert first.code == 5, first.err
    assert first.lines[-1] == {"event": "summary", "lines": 5, "succeeded": 3, "refused": 2}
    assert "4 runs of chain1, together at most" in first.err
    assert "1 line is no request; nothing runs for it." in first.err

    again = await caller.babychain("run", "chain1", "--each", str(file), "--yes", "--json", "--tag", "each")
    assert again.lines[-1] == first.lines[-1]
    assert len(await service.submits(prompt="first of each")) == 4, "two pictures and two videos"
    (tmp_path / "boats.jsonl.results").unlink()
    forgotten = await caller.babychain("run", "chain1", "--each", str(file), "--yes", "--json", "--tag", "each")
    assert {line.get("run_id") for line in forgotten.lines} == {line.get("run_id") for line in first.lines}
    assert len(await service.submits(prompt="first of each")) == 4


async def test_nobody_is_asked_about_lines_that_are_no_requests(
    service: Service, caller: Caller, tmp_path: Path
) -> None:
    file = tmp_path / "half.jsonl"
    lines = [json.dumps(drawn(f"half {number}", metadata={"tags": ["mine"]})) for number in (1, 2)]
    file.write_text("\n".join([*lines, "no JSON", "[]"]))
    first = await caller.babychain("run", "chain1", "--each", str(file), "--tag", "halves", "--yes")
    assert "2 runs of chain1, together at most" in first.out
    assert "2 lines are no requests; nothing runs for them." in first.out
    listed = await caller.babychain("list", "--tag", "halves", "--json")
    tags = [(await service.get(row["id"]))["metadata"]["tags"] for row in listed.json["data"]]
    assert tags == [["halves", "mine"]] * 2
    again = await caller.babychain("run", "chain1", "--each", str(file), "--tag", "halves")
    assert again.code == 5, again.err
    assert "2 lines are no requests" in again.out
    assert "USD" not in again.out
    assert "4 lines: 2 refused, 2 succeeded." in again.out


async def test_an_estimate_is_no_upper_bound_where_a_stand_in_has_no_price(caller: Caller, tmp_path: Path) -> None:
    models = ["bytedance/seedance-1.5-pro", "relaydance/seedance-1-5-pro-no-audio"]
    asked = drawn("not started")
    asked["input"]["chain_models"]["image_to_video_model"] = models
    said = await caller.babychain("estimate", "chain1", "-i", json.dumps(asked))
    assert said.code == 0, said.err
    assert "more if a stand-in with no published price serves" in said.out
    file = tmp_path / "open.jsonl"
    file.write_text(json.dumps(asked))
    confirmed = await caller.babychain("run", "chain1", "--each", str(file))
    assert "1 run of chain1, together at most" in confirmed.out
    assert "more if a stand-in with no published price serves, as it may in 1 of them" in confirmed.out


async def test_listen_forwards_an_end_signed_anew(service: Service, caller: Caller) -> None:
    process = await caller.start("listen", service.hook, "--secret", "of the listener", "--once")
    try:
        assert process.stdout is not None
        assert (await process.stdout.readline()).startswith(b"Forwarding to")
        run = await service.succeeded((await service.create("chain1", drawn("listened to")))["id"])
        [call] = await service.callbacks(run["id"])
        event = verify_webhook(call.body, call.headers, "of the listener")
        assert (event.id, event.data) == (f"evt_{run['id']}", await service.get(run["id"]))
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()


async def test_ctrl_c_ends_the_watching_and_names_the_run_that_goes_on(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path, config=SLOW) as service:
        caller = Caller(caller_environment(str(service.api.base_url), tmp_path))
        run = await service.create("chain1", drawn("interrupted"))
        late = await caller.babychain("watch", run["id"], "--timeout", "0.5")
        assert late.code == 7
        assert "goes on" in late.err
        process = await caller.start("watch", run["id"], "--json")
        assert process.stdout is not None
        await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        assert process.returncode == 130
        assert f"Run {run['id']} goes on" in err.decode()
        assert (await caller.babychain("cancel", run["id"], "--json")).json["status"] == "canceled"
        assert (await caller.babychain("watch", run["id"])).code == 6


async def test_a_callback_is_seen_sent_again_and_tested(service: Service, caller: Caller) -> None:
    run = await service.create("chain1", drawn("delivered", webhook_url=service.hook))
    await service.callbacks(run["id"])
    await service.succeeded(run["id"])
    for _ in range(2):
        again = await caller.babychain("deliveries", "resend", run["id"], "--idempotency-key", "resent-once")
        assert again.code == 0, again.err
    await service.callbacks(run["id"], 2)
    listed = await caller.babychain("deliveries", "list", run["id"], "--json")
    assert {one["event"] for one in listed.json["data"]} == {"chain_run.completed"}
    tested = await caller.babychain("deliveries", "test", service.hook, "--json")
    assert (tested.code, tested.json["status"]) == (0, "delivered")
    shown = await caller.babychain("deliveries", "list", run["id"])
    assert re.search(r"\d\d:\d\d:\d\d +chain_run\.completed", shown.out)


async def test_a_test_callback_tells_what_the_receiver_answered_or_why_it_did_not(
    temporal: Client, tmp_path: Path
) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    async with (
        serving(Receiver(answers=[418]).app()) as here,
        running_service(temporal, tmp_path / "data", trusted_origins=f"{here},{away}") as service,
    ):
        caller = Caller(caller_environment(str(service.api.base_url), tmp_path))
        refused = await caller.babychain("deliveries", "test", f"{here}/hook")
        assert (refused.code, refused.out.rstrip().endswith("failed 418")) == (1, True), refused.out
        silent = await caller.babychain("deliveries", "test", f"{away}/hook")
        assert (silent.code, silent.out.rstrip().endswith("failed Nobody listens there.")) == (1, True), silent.out


async def test_the_catalogue_needs_no_key(service: Service, tmp_path: Path) -> None:
    anyone = Caller(caller_environment(str(service.api.base_url), tmp_path, key=""))
    templates = await anyone.babychain("templates", "--json")
    assert "chain1" in [one["slug"] for one in templates.json["data"]]
    keyless = await anyone.babychain("models")
    assert "bytedance/seedance-1.5-pro" in keyless.out
    assert "usual price" not in keyless.out
    assert keyless.err.splitlines() == [
        "babychain: Providers and prices are shown to keys: set BABYCHAIN_API_KEY to yours."
    ]
    stranger = Caller(caller_environment(str(service.api.base_url), tmp_path, key="a key of nobody"))
    unknown = await stranger.babychain("models")
    assert unknown.code == 0
    assert "This key is not known here" in unknown.err
    shown = await anyone.babychain("models", "bytedance/seedance-1.5-pro")
    assert "duration" in shown.out
    refused = await anyone.babychain("list", "--json")
    assert (refused.code, refused.out) == (1, "")
    assert "BABYCHAIN_API_KEY" in json.loads(refused.err)["error"]["message"]


async def test_models_are_shown_with_who_serves_them_and_for_how_much(caller: Caller) -> None:
    rows = (await caller.babychain("models")).out.splitlines()
    [wan] = [row.split() for row in rows if "bailian/wan2.5-i2v-preview" in row]
    assert wan == ["bailian/wan2.5-i2v-preview", "video", "alibaba", "bailian", "yes", "0.75", "USD"]
    [bach] = [row.split() for row in rows if "bach/bach-1.0-preview" in row]
    assert bach[3:] == ["bach", "yes", "unknown"]
    told = {row["id"]: row for row in (await caller.babychain("models", "--kind", "video", "--json")).json["data"]}
    assert told["bailian/wan2.5-i2v-preview"]["usual_price"]["high"] == "0.75"
    assert told["bach/bach-1.0-preview"]["served_by"] == "bach"
    assert {row["kind"] for row in told.values()} == {"video"}
    assert (await caller.babychain("models", "--kind", "vide")).code == 2


async def test_the_doctor_finds_every_part_well_or_says_what_helps(temporal: Client, tmp_path: Path) -> None:
    async with running_service(temporal, tmp_path / "data") as service:
        settings = service.settings
        env = caller_environment(str(service.api.base_url), tmp_path / "data") | {
            "TEMPORAL_ADDRESS": temporal.service_client.config.target_host,
            **{f"BABYCHAIN_{name.upper()}": str(value) for name, value in SECRETS.items()},
            "BABYCHAIN_API_KEY": KEY,
            "BABYCHAIN_PROVIDER_MODE": "sandbox",
            "BABYCHAIN_SANDBOX_URL": settings.sandbox_url,
            "BABYCHAIN_PUBLIC_URL": settings.base_url,
        }
        well = await Caller(env).babychain("doctor", "--json")
        states = {one["part"]: one["state"] for one in well.json["data"]}
        # The service's own worker asks on a queue of its own.
        assert states.pop("worker") == "bad"
        assert set(states.values()) == {"good"}, well.out
        assert set(states) >= {"settings", "temporal", "database", "storage", "api", "key", "clock", "public address"}
        ill = await Caller(env | {"BABYCHAIN_URL": f"http://127.0.0.1:{free_port()}"}).babychain("doctor")
        assert ill.code == 1
        assert "babychain serve api" in ill.out


async def test_a_run_is_retried_from_a_step_on_and_the_steps_before_are_kept(service: Service, caller: Caller) -> None:
    run = await service.succeeded((await service.create("chain1", drawn("kept and redone")))["id"])
    words = ["--from-step", "image_to_video", "-s", "image_to_video_params.duration=5", "--idempotency-key", run["id"]]
    first = await caller.babychain("retry", run["id"], *words)
    assert first.code == 0, first.err
    again = await caller.babychain("retry", run["id"], *words)
    assert again.out == first.out
    redone = await service.succeeded(first.out.strip())
    assert redone["input"]["image_to_video_params"]["duration"] == 5
    pictures, videos = 1, 2
    assert len(await service.submits(prompt="kept and redone")) == pictures + videos
    stayed = await caller.babychain("retry", run["id"], *words, "--wait", "--json")
    assert (stayed.code, stayed.json["id"], stayed.json["status"]) == (0, redone["id"], "succeeded")
    wrong = await caller.babychain("retry", run["id"], "-p", "which step?")
    assert wrong.code == 2
    assert "Name the step" in wrong.err


async def test_lines_that_were_interrupted_are_taken_up_by_the_same_command(temporal: Client, tmp_path: Path) -> None:
    file = tmp_path / "slow.jsonl"
    file.write_text("\n".join(json.dumps(drawn(f"slow {number}", metadata={"tags": ["slow"]})) for number in (1, 2)))
    async with running_service(temporal, tmp_path / "data", config=SLOW) as service:
        caller = Caller(caller_environment(str(service.api.base_url), tmp_path))

        async def under_way() -> list[str]:
            rows = (await service.api.get("/api/v1/chains/runs", params={"tag": "slow"})).json()["data"]
            return sorted(row["id"] for row in rows)

        words = ("run", "chain1", "--each", str(file), "--yes", "--json")
        process = await caller.start(*words)
        started = await eventually(under_way, lambda ids: len(ids) == 2)
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        assert (process.returncode, "The same command takes them up again" in err.decode()) == (130, True)
        for run_id in started:
            await service.cancel(run_id)
        again = await caller.babychain(*words)
        assert again.code == 5
        assert sorted(line["run_id"] for line in again.lines[:-1]) == started
        assert again.lines[-1] == {"event": "summary", "lines": 2, "canceled": 2}

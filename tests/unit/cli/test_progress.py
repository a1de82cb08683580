"""The picture of a run: what a terminal shows, and what a log gets."""

import io
from typing import Any

from rich.console import Console

from cli.progress import chain_picture, progress


def run(*statuses: str, **more: Any) -> dict[str, Any]:
    steps = [
        {"step_key": f"step{number}", "status": status, "model_identifier": "acme/one"}
        for number, status in enumerate(statuses, 1)
    ]
    ended = all(status == "succeeded" for status in statuses)
    return {"status": "succeeded" if ended else "running", "steps": steps} | more


def drawn(*runs: dict[str, Any], terminal: bool, width: int = 100) -> str:
    out = io.StringIO()
    with progress(Console(file=out, force_terminal=terminal, width=width, color_system=None)) as shown:
        for one in runs:
            shown.update(one)
    return out.getvalue()


def test_a_chain_is_drawn_with_the_state_of_each_step() -> None:
    assert str(chain_picture(run("succeeded", "running", "queued"))) == "  ● step1 ──▶ ◐ step2 ──▶ ○ step3"


def test_a_status_of_a_newer_api_is_drawn_too() -> None:
    assert str(chain_picture(run("succeeded", "dreaming"))) == "  ● step1 ──▶ ? step2"
    assert "dreaming" in drawn(run("succeeded", "dreaming"), terminal=True)


def test_a_terminal_shows_steps_a_bar_and_what_is_waited_for() -> None:
    waiting = {"waiting_on": {"message": "acme works on it."}, "expected": {"p50_seconds": 40.0}}
    shown = drawn(run("succeeded", "running", **waiting), terminal=True)
    assert "◐ step2" in shown
    assert "acme works on it." in shown
    assert "━" in shown


def test_a_narrow_terminal_shows_whole_words_and_no_models() -> None:
    long = run("succeeded", "running")
    for step, key in zip(long["steps"], ("text_to_image", "image_to_video"), strict=True):
        step |= {"step_key": key, "model_identifier": "relaydance/seedance-1-5-pro-with-audio"}
    narrow, wide = drawn(long, terminal=True, width=40), drawn(long, terminal=True, width=80)
    assert "image_to_video  running" in narrow
    assert "relaydance/seedance-1-5-pro-with-audio  running" in wide
    assert "…" not in narrow + wide


def test_a_log_gets_one_line_for_each_change() -> None:
    shown = drawn(run("running", "queued"), run("running", "queued"), run("succeeded", "running"), terminal=False)
    assert [line.split("s  ")[1] for line in shown.splitlines()] == [
        "step1 (acme/one): running",
        "step1 (acme/one): succeeded",
        "step2 (acme/one): running",
    ]

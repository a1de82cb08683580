"""Seedance's content: whose pictures stand in it, in which role, and as it is sent."""

import json
from typing import Any

import pytest

from domain.errors import InputRejected
from domain.media import InputFile
from domain.provider import ModelCard
from providers.byteplus.wire import build_picture_body, build_task_body
from tests.contract.adapters import TOKEN, request, shown
from tests.contract.byteplus_orders import (
    ADDRESS,
    BYTES_TEXT,
    CONTENT,
    DANCE,
    DREAM,
    FIRST,
    PROMPT,
    SECOND,
    SOUND,
    TEXT,
    VIDEO,
    picture_item,
)
from tests.contract.cards import faults_of, plan

BYTES = InputFile(data=b"\xff\xd8", media_type="image/JPEG")


@pytest.mark.parametrize(
    ("card", "items", "pictures", "fits"),
    [
        (SECOND, [TEXT], 0, True),
        (SECOND, [], 0, False),
        (SECOND, [], 1, True),
        (SECOND, [picture_item("last_frame")], 0, False),
        (SECOND, [picture_item("last_frame")], 1, True),
        (SECOND, [picture_item("last_frame")], 2, False),
        (SECOND, [picture_item("reference_image")], 0, True),
        (SECOND, [picture_item("reference_image")] * 8, 1, True),
        (SECOND, [picture_item("reference_image")] * 9, 1, False),
        (SECOND, [VIDEO, SOUND], 0, True),
        (SECOND, [VIDEO, SOUND], 1, True),
        (SECOND, [VIDEO], 9, True),
        (SECOND, [TEXT, SOUND], 0, False),
        (SECOND, [TEXT, SOUND], 1, True),
        (SECOND, [TEXT, SOUND, picture_item("reference_image")], 0, True),
        (FIRST, [picture_item("reference_image")], 0, True),
        (FIRST, [picture_item("reference_image")], 1, False),
    ],
    ids=shown,
)
def test_content_is_judged_with_the_steps_own_pictures(
    card: ModelCard, items: list[dict[str, Any]], pictures: int, fits: bool
) -> None:
    """Frames and references exclude each other, and no sound stands alone."""
    params = {"content": items}
    assert card.check(params) == []
    assert (card.check_pictures(params, pictures) == []) is fits


@pytest.mark.parametrize(
    ("card", "items", "pictures", "is_said"),
    [
        (SECOND, [TEXT], 1, False),
        (SECOND, [TEXT], 2, True),
        (SECOND, [TEXT, VIDEO], 1, True),
        (SECOND, [TEXT, SOUND], 1, True),
        (SECOND, [TEXT, VIDEO], 0, False),
        (DANCE, [TEXT, picture_item("last_frame")], 1, False),
    ],
    ids=shown,
)
def test_that_the_steps_picture_becomes_a_reference_is_said(
    card: ModelCard, items: list[dict[str, Any]], pictures: int, is_said: bool
) -> None:
    said = [fault.message for fault in card.warn_pictures({"content": items}, pictures)]
    assert ["first reference, not the first frame" in message for message in said] == [True] * is_said


def test_a_first_frame_beside_references_is_refused_where_it_stands() -> None:
    params = {"content": [TEXT, picture_item("first_frame"), VIDEO]}
    assert SECOND.read_inputs(params) == ((ADDRESS.url,), params)
    assert [fault.path for fault in SECOND.check(params)] == [("content",)]


def test_in_a_step_that_the_chain_feeds_videos_and_sounds_go_beside_its_picture() -> None:
    step = plan(SECOND, {"content": [TEXT, VIDEO, SOUND]}, fed=True).steps[1]
    assert step.inputs == ()
    assert step.candidates[0].params == {"content": [TEXT, VIDEO, SOUND]}
    faults = faults_of(SECOND, {"content": [TEXT, VIDEO | {"role": "first_frame"}]}, fed=True)
    assert ("input", "main_params", "content", 1, "video_url") in [fault.path for fault in faults]
    (fault,) = faults_of(DANCE, {"content": [TEXT, SOUND]}, fed=True)
    assert "only Seedance 2" in fault.message


@pytest.mark.parametrize(
    ("params", "pictures", "rest"),
    [
        (PROMPT | {"image": "a"}, ("a",), PROMPT),
        (PROMPT | {"image": ["a", "b"]}, ("a", "b"), PROMPT),
        (PROMPT | {"image": [1]}, (), PROMPT | {"image": [1]}),
    ],
)
def test_seedreams_pictures_are_read(params: dict[str, Any], pictures: tuple[str, ...], rest: dict[str, Any]) -> None:
    assert DREAM.read_inputs(params) == (pictures, rest)


@pytest.mark.parametrize("role", [None, "first_frame"])
def test_seedances_first_frame_is_read_and_the_rest_stays(role: str | None) -> None:
    last = picture_item("last_frame", "https://example.com/z.png")
    params = {"content": [TEXT, picture_item(role), last], "duration": 5}
    assert DANCE.read_inputs(params) == (("https://example.com/a.png",), {"content": [TEXT, last], "duration": 5})


@pytest.mark.parametrize(
    ("mapped", "native", "merged"),
    [
        ({"content": ["mapped"]}, {}, {"content": ["mapped"]}),
        (CONTENT, {"content": []}, CONTENT),
        (CONTENT, {"content": [TEXT | {"text": "mine"}]}, {"content": [TEXT | {"text": "mine"}]}),
        (
            {"content": [TEXT, picture_item("last_frame")], "ratio": "1:1"},
            {"content": [picture_item("reference_image")], "ratio": "16:9"},
            {"content": [picture_item("reference_image"), TEXT, picture_item("last_frame")], "ratio": "16:9"},
        ),
        (CONTENT, {"content": "odd"}, {"content": "odd"}),
    ],
    ids=shown,
)
def test_the_callers_content_stays_first_and_gets_only_what_it_lacks(
    mapped: dict[str, Any], native: dict[str, Any], merged: dict[str, Any]
) -> None:
    assert DANCE.merge(mapped, native) == merged


@pytest.mark.parametrize(
    ("params", "pictures", "body"),
    [
        (PROMPT, (), PROMPT),
        (PROMPT | {"stream": False}, (ADDRESS,), PROMPT | {"image": ADDRESS.url}),
        (PROMPT, (ADDRESS, BYTES), PROMPT | {"image": [ADDRESS.url, BYTES_TEXT]}),
        (
            PROMPT | {"sequential_image_generation_options": {"max_images": 3.0}},
            (),
            PROMPT | {"sequential_image_generation_options": {"max_images": 3}},
        ),
    ],
    ids=shown,
)
def test_picture_bodies(params: dict[str, Any], pictures: tuple[InputFile, ...], body: dict[str, Any]) -> None:
    built = build_picture_body(DREAM, request(DREAM, params, *pictures), "ep-1")
    wanted = body | {"model": "ep-1", "response_format": "url"}
    assert json.dumps(built, sort_keys=True) == json.dumps(wanted, sort_keys=True)


def test_a_chains_picture_comes_after_the_callers_own_items() -> None:
    last = picture_item("last_frame")
    built = build_task_body(DANCE, request(DANCE, {"content": [TEXT, last], "duration": 5.0}, BYTES), "ep-1")
    assert built == {
        "model": "ep-1",
        "content": [TEXT, last, picture_item("first_frame", BYTES_TEXT)],
        "duration": 5,
        "safety_identifier": TOKEN,
    }
    assert isinstance(built["duration"], int)


@pytest.mark.parametrize(
    ("items", "pictures", "sent"),
    [
        ([TEXT, VIDEO], [ADDRESS], [TEXT, picture_item("reference_image"), VIDEO]),
        ([TEXT, SOUND], [ADDRESS], [TEXT, picture_item("reference_image"), SOUND]),
        ([SOUND, TEXT], [ADDRESS], [TEXT, picture_item("reference_image"), SOUND]),
        (
            [TEXT, picture_item("reference_image", "https://b.example")],
            [ADDRESS],
            [TEXT, picture_item("reference_image"), picture_item("reference_image", "https://b.example")],
        ),
        ([TEXT, VIDEO], [], [TEXT, VIDEO]),
    ],
    ids=shown,
)
def test_beside_references_the_steps_picture_is_the_first_of_them(
    items: list[dict[str, Any]], pictures: list[InputFile], sent: list[dict[str, Any]]
) -> None:
    built = build_task_body(SECOND, request(SECOND, {"content": items}, *pictures), "ep-1")
    assert built["content"] == sent


def test_no_picture_is_left_out_in_silence() -> None:
    with pytest.raises(InputRejected, match="at most 1"):
        build_task_body(DANCE, request(DANCE, CONTENT, ADDRESS, ADDRESS), "ep-1")

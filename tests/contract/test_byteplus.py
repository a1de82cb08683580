"""BytePlus: what it answers, and what that means."""

import asyncio
import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from domain.errors import (
    BadCredentials,
    CreditExhausted,
    InputRejected,
    JobExpired,
    JobFailed,
    ModelUnavailable,
    Moderated,
    Refused,
    RequestError,
    StartUnknown,
    StepError,
    UnexpectedResponse,
)
from domain.media import InputFile, MediaKind, MediaRequest
from domain.money import Cost
from domain.provider import (
    Absent,
    Accepted,
    Canceled,
    CancelOutcome,
    Failed,
    Finished,
    Job,
    JobState,
    ModelCard,
    Notice,
    Output,
    Pending,
    Provider,
    Succeeded,
    Unsure,
    Window,
)
from providers import byteplus
from providers._answers import Redactor
from providers.byteplus import MODELS, endpoint_setting
from providers.byteplus.wire import (
    PAGE,
    build_picture_body,
    build_task_body,
    error_of,
    find_task,
    read_error,
    read_failure,
    read_limit,
    read_notice,
    read_pictures,
    read_state,
)
from tests.contract.adapters import TOKEN, Control, adapter, ended, key_of, request, start
from tests.contract.test_every_provider import faults_of, plan
from tests.support.pictures import jpeg
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.webhook_receiver import Receiver

NOW = datetime(2026, 11, 21, 3, 10, tzinfo=UTC)
DREAM = MODELS["bytedance/seedream-4.5"]
DANCE = MODELS["bytedance/seedance-1.5-pro"]
FAST = MODELS["bytedance/seedance-1-pro-fast"]
FIRST = MODELS["bytedance/seedance-1-pro"]
SECOND = MODELS["bytedance/seedance-2.0"]
PROMPT = {"prompt": "a lighthouse"}
TEXT = {"type": "text", "text": "the boat drifts"}
CONTENT: dict[str, Any] = {"content": [TEXT]}
ADDRESS = InputFile(url="https://example.com/a.png")
BYTES = InputFile(data=b"\xff\xd8", media_type="image/JPEG")
BYTES_TEXT = "data:image/jpeg;base64," + base64.b64encode(b"\xff\xd8").decode()
PICTURE = InputFile(data=jpeg("a", (512, 512)), media_type="image/jpeg")
hide_nothing = Redactor("no-such-key-anywhere")


def shown(value: object) -> str:
    """In a test's name: a card would print its functions' addresses, which differ between processes."""
    return value.id if isinstance(value, ModelCard) else str(value)


def picture_item(role: str | None, url: str = "https://example.com/a.png") -> dict[str, Any]:
    item: dict[str, Any] = {"type": "image_url", "image_url": {"url": url}}
    return item if role is None else item | {"role": role}


VIDEO = {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}, "role": "reference_video"}
SOUND = {"type": "audio_url", "audio_url": {"url": "https://example.com/a.mp3"}, "role": "reference_audio"}


# ---- models -------------------------------------------------------------------------------------------------------


def test_the_models_are_those_of_the_contract() -> None:
    assert {name: (card.raw_id, card.modes) for name, card in MODELS.items()} == {
        "bytedance/seedream-4": ("seedream-4-0-250828", ("babysea", "byok")),
        "bytedance/seedream-4.5": ("seedream-4-5-251128", ("babysea", "byok")),
        "bytedance/seedream-5-lite": ("seedream-5-0-lite-260128", ("babysea", "byok")),
        "bytedance/seedance-1-pro": ("seedance-1-0-pro-250528", ("babysea", "byok")),
        "bytedance/seedance-1-pro-fast": ("seedance-1-0-pro-fast-251015", ("babysea", "byok")),
        "bytedance/seedance-1.5-pro": ("seedance-1-5-pro-251215", ("babysea", "byok")),
        "bytedance/seedance-2.0": ("dreamina-seedance-2-0-260128", ("byok",)),
        "bytedance/seedance-2.0-fast": ("dreamina-seedance-2-0-fast-260128", ("byok",)),
    }
    assert DREAM.aliases == ("byteplus/seedream-4-5-251128",)
    assert DREAM.endpoint == "https://ark.ap-southeast.bytepluses.com/api/v3/images/generations"
    assert DANCE.endpoint == "https://ark.ap-southeast.bytepluses.com/api/v3/contents/generations/tasks"
    assert {card.vendor for card in MODELS.values()} == {"byteplus"}


@pytest.mark.parametrize("card", [DANCE, DREAM], ids=shown)
def test_pictures_can_never_be_found_again_and_videos_always(card: ModelCard) -> None:
    is_video = card.kind is MediaKind.VIDEO
    assert card.safety(webhooks_reach_us=True) == card.safety(webhooks_reach_us=False) == ("B" if is_video else "C")


def test_the_published_run_passes_unchanged() -> None:
    """A real run of three seconds was published, though the documented range begins at four."""
    params = CONTENT | {"ratio": "1:1", "duration": 3, "watermark": False}
    DANCE.params.model_validate(params)
    assert DANCE.check(params) == []
    (warning,) = DANCE.warn(params)
    assert warning.path == ("duration",)
    assert "documented range is 4..12" in warning.message
    assert build_task_body(DANCE, request(DANCE, params), DANCE.raw_id)["duration"] == 3


@pytest.mark.parametrize(
    ("card", "params", "path"),
    [
        (DREAM, {}, ("prompt",)),
        (DREAM, PROMPT | {"prompt": " "}, ("prompt",)),
        (DREAM, PROMPT | {"size": "large"}, ("size",)),
        (DREAM, PROMPT | {"size": "0x100"}, ("size",)),
        (DREAM, PROMPT | {"response_format": "b64_json"}, ("response_format",)),
        (DREAM, PROMPT | {"stream": True}, ("stream",)),
        (DREAM, PROMPT | {"seed": 1}, ("seed",)),
        (DREAM, PROMPT | {"output_format": "png"}, ("output_format",)),
        (DREAM, PROMPT | {"optimize_prompt_options": {"mode": "fast"}}, ("optimize_prompt_options", "mode")),
        (
            DREAM,
            PROMPT | {"sequential_image_generation_options": {"max_images": 16}},
            ("sequential_image_generation_options", "max_images"),
        ),
        (DANCE, {"content": "a boat"}, ("content",)),
        (DANCE, {"content": [{"type": "text", "text": ""}]}, ("content", 0, "text")),
        (DANCE, {"content": [TEXT, {"type": "image", "url": "x"}]}, ("content", 1, "type")),
        (
            DANCE,
            {"content": [picture_item("last_frame") | {"image_url": {"url": 5}}]},
            ("content", 0, "image_url", "url"),
        ),
        *(
            (SECOND, {"content": [item | {item["type"]: {"url": "not an address"}}]}, ("content", 0, item["type"]))
            for item in (picture_item("last_frame"), VIDEO, SOUND)
        ),
        (DANCE, CONTENT | {"duration": 13}, ("duration",)),
        (DANCE, CONTENT | {"duration": -2}, ("duration",)),
        (DANCE, CONTENT | {"frames": 29}, ("frames",)),
        (DANCE, CONTENT | {"resolution": "4k"}, ("resolution",)),
        (DANCE, CONTENT | {"seed": 4_294_967_296}, ("seed",)),
        (DANCE, CONTENT | {"execution_expires_after": 3_599}, ("execution_expires_after",)),
        (FIRST, CONTENT | {"duration": 1}, ("duration",)),
        (FIRST, CONTENT | {"generate_audio": True}, ("generate_audio",)),
        (SECOND, CONTENT | {"camera_fixed": True}, ("camera_fixed",)),
        (SECOND, CONTENT | {"service_tier": "flex"}, ("service_tier",)),
        (MODELS["bytedance/seedance-2.0-fast"], CONTENT | {"resolution": "1080p"}, ("resolution",)),
    ],
    ids=shown,
)
def test_what_no_model_takes_is_refused_with_its_path(
    card: ModelCard, params: dict[str, Any], path: tuple[str, ...]
) -> None:
    with pytest.raises(ValidationError) as raised:
        card.params.model_validate(params)
    assert path in [error["loc"][: len(path)] for error in raised.value.errors()]


@pytest.mark.parametrize(
    ("card", "params", "path"),
    [
        (DANCE, {"content": [{"type": "text"}]}, ("content", 0, "text")),
        (DANCE, {"content": [TEXT | {"image_url": {"url": "https://x"}}]}, ("content", 0, "image_url")),
        (DANCE, {"content": [TEXT | {"role": "first_frame"}]}, ("content", 0, "role")),
        (DANCE, {"content": [picture_item("reference_video")]}, ("content", 0, "role")),
        (DANCE, {"content": [TEXT, picture_item("last_frame"), picture_item("last_frame")]}, ("content",)),
        (SECOND, {"content": [picture_item("last_frame"), picture_item("reference_image")]}, ("content",)),
        (FAST, {"content": [picture_item("last_frame")]}, ("content", 0, "role")),
        (FIRST, {"content": [{"type": "draft_task", "draft_task": {"id": "cgt-1"}}]}, ("content", 0, "type")),
        (DANCE, {"content": [VIDEO]}, ("content", 0, "type")),
        (SECOND, {"content": [TEXT, VIDEO | {"role": None}]}, ("content", 1, "role")),
        (SECOND, {"content": [*[VIDEO] * 4]}, ("content",)),
        (SECOND, {"content": [VIDEO, *[SOUND] * 4]}, ("content",)),
        (SECOND, {"content": [*[picture_item("reference_image")] * 10]}, ("content",)),
        (SECOND, {"content": [picture_item("first_frame"), picture_item("reference_image")]}, ("content",)),
        (SECOND, {"content": [picture_item(None), VIDEO]}, ("content",)),
        (SECOND, {"content": [picture_item("first_frame"), SOUND]}, ("content",)),
        (SECOND, {"content": [picture_item("last_frame"), SOUND]}, ("content",)),
        (DANCE, CONTENT | {"duration": 0}, ("duration",)),
        (SECOND, CONTENT | {"duration": 3}, ("duration",)),
        (FIRST, CONTENT | {"frames": 30}, ("frames",)),
        (DANCE, CONTENT | {"draft": True, "resolution": "720p"}, ("resolution",)),
        (DANCE, CONTENT | {"draft": True, "return_last_frame": True}, ("return_last_frame",)),
        (DANCE, CONTENT | {"draft": True, "service_tier": "flex"}, ("service_tier",)),
    ],
    ids=shown,
)
def test_certain_rules_over_several_values_are_faults(
    card: ModelCard, params: dict[str, Any], path: tuple[str, ...]
) -> None:
    card.params.model_validate(params)
    assert path in [fault.path for fault in card.check(params)]


@pytest.mark.parametrize(
    ("card", "params", "words"),
    [
        (DREAM, PROMPT | {"size": "1K"}, "documented classes are 2K, 4K"),
        (DREAM, PROMPT | {"size": "1024x1024"}, "3686400 to 16777216 pixels"),
        (MODELS["bytedance/seedream-4"], PROMPT | {"size": "4096x200"}, "ratios from 1:16"),
        (DANCE, {"content": [{"type": "text", "text": "a boat --rs 720p"}]}, "`--` parameters"),
        (DANCE, {"content": [TEXT, picture_item("reference_image")]}, "reference_image"),
        (DANCE, CONTENT | {"duration": 1}, "documented range is 4..12"),
        (DANCE, CONTENT | {"service_tier": "flex"}, "flex"),
        (SECOND, CONTENT | {"resolution": "4k"}, "4k"),
    ],
    ids=shown,
)
def test_what_is_uncertain_is_accepted_with_a_warning(card: ModelCard, params: dict[str, Any], words: str) -> None:
    card.params.model_validate(params)
    assert card.check(params) == []
    (warning,) = card.warn(params)
    assert words in warning.message


@pytest.mark.parametrize(
    ("card", "params"),
    [
        (DREAM, PROMPT | {"size": "4K", "response_format": "url", "stream": False}),
        (MODELS["bytedance/seedream-5-lite"], PROMPT | {"size": "3K", "output_format": "png"}),
        (MODELS["bytedance/seedream-4"], PROMPT | {"optimize_prompt_options": {"mode": "fast"}}),
        (DANCE, {}),
        (DANCE, CONTENT | {"duration": -1, "draft": True}),
        (DANCE, {"content": [{"type": "text", "text": "a -- b, a--b, --unknown"}, picture_item("last_frame")]}),
        (FIRST, CONTENT | {"frames": 289, "duration": 2}),
        (SECOND, {"content": [TEXT, *[picture_item("reference_image")] * 9], "priority": 9}),
        (SECOND, {"content": [TEXT, *[VIDEO] * 3, *[SOUND] * 3]}),
        (SECOND, {"content": [TEXT, picture_item("reference_image", "asset://a"), VIDEO, SOUND]}),
        (DANCE, {"content": [TEXT, picture_item("last_frame", BYTES_TEXT)]}),
        (DANCE, {"content": [{"type": "draft_task", "draft_task": {"id": "cgt-20261121030000-ab1cd"}}]}),
    ],
    ids=shown,
)
def test_what_is_documented_passes_without_a_word(card: ModelCard, params: dict[str, Any]) -> None:
    card.params.model_validate(params)
    assert card.check(params) == []
    assert card.warn(params) == []


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


# ---- prices -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("card", "params", "cost"),
    [
        (DREAM, {}, Cost.exactly(40_000)),
        (MODELS["bytedance/seedream-4"], {}, Cost.exactly(30_000)),
        (MODELS["bytedance/seedream-5-lite"], {}, Cost.exactly(35_000)),
        (DREAM, {"sequential_image_generation": "auto"}, Cost(40_000, 15 * 40_000)),
        (
            DREAM,
            {"sequential_image_generation": "auto", "sequential_image_generation_options": {"max_images": 4}},
            Cost(40_000, 160_000),
        ),
        # The documented sample: 5 s at 1280x720 are 108900 tokens, here at 2.4 dollars a million.
        (DANCE, {"resolution": "720p", "ratio": "16:9", "duration": 5}, Cost.exactly(261_360)),
        (DANCE, {"ratio": "9:16"}, Cost.exactly(261_360)),
        (DANCE, {"ratio": "16:9", "generate_audio": False}, Cost.exactly(130_680)),
        (DANCE, {"ratio": "16:9", "service_tier": "flex"}, Cost.exactly(130_680)),
        (DANCE, {"ratio": "16:9", "duration": -1}, Cost(209_520, 624_240)),
        (DANCE, {"ratio": "16:9", "draft": True}, Cost.exactly(72_922)),
        (DANCE, {}, Cost(248_292, 287_496)),
        (FIRST, {"ratio": "16:9"}, Cost.exactly(617_100)),
        (FIRST, {"frames": 29, "resolution": "480p", "ratio": "16:9"}, Cost.exactly(29_363)),
        (MODELS["bytedance/seedream-5-lite"], {"tools": [{"type": "web_search"}]}, Cost(35_000, None)),
        (SECOND, {"ratio": "16:9"}, Cost.exactly(762_300)),
        (SECOND, {"ratio": "16:9", "tools": [{"type": "web_search"}]}, Cost(762_300, None)),
        (SECOND, {"resolution": "4k", "ratio": "16:9"}, Cost.unknown()),
        (SECOND, {"content": [{"type": "video_url", "video_url": {"url": "x"}}]}, Cost.unknown()),
    ],
    ids=shown,
)
def test_prices(card: ModelCard, params: dict[str, Any], cost: Cost) -> None:
    assert card.price(params, 0) == cost


# ---- between providers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "size"),
    [
        ("1:1", "2048x2048"),
        ("4:3", "2304x1728"),
        ("2:3", "1664x2496"),
        ("16:9", "2560x1440"),
        ("9:16", "1440x2560"),
        ("21:9", "3136x1344"),
    ],
)
def test_a_ratio_becomes_a_size_that_seedream_takes(ratio: str, size: str) -> None:
    mapped = DREAM.from_neutral(MediaRequest(MediaKind.IMAGE, ratio=ratio))
    assert mapped.params == {"size": size}
    assert mapped.lost == ()
    assert DREAM.warn(mapped.params) == []


def test_the_wide_size_of_the_contract_is_kept_where_it_has_pixels_enough() -> None:
    mapped = MODELS["bytedance/seedream-4"].from_neutral(MediaRequest(MediaKind.IMAGE, ratio="21:9"))
    assert mapped.params == {"size": "2520x1080"}


def test_seedance_is_told_what_it_can_be_told() -> None:
    wish = MediaRequest(
        MediaKind.VIDEO,
        prompt="waves roll",
        last_frame="https://example.com/z.png",
        ratio="5:4",
        resolution="480p",
        seconds=3,
        seed=9,
        audio=True,
        watermark=False,
        camera_fixed=True,
    )
    mapped = DANCE.from_neutral(wish)
    assert mapped.params == {
        "content": [{"type": "text", "text": "waves roll"}, picture_item("last_frame", "https://example.com/z.png")],
        "resolution": "480p",
        "seed": 9,
        "generate_audio": True,
        "watermark": False,
        "camera_fixed": True,
        "ratio": "4:3",
        "duration": 4,
    }
    assert mapped.lost == ("exact ratio (it gets 4:3)", "exact duration (it gets 4 seconds)")
    assert set(FAST.from_neutral(wish).lost) == {"last frame", "sound", "exact ratio (it gets 4:3)"}
    assert "fixed camera" in SECOND.from_neutral(wish).lost


def test_what_the_model_was_left_to_decide_is_no_wish() -> None:
    read = DANCE.read_neutral(CONTENT | {"ratio": "adaptive", "duration": -1, "seed": -1})
    assert read == MediaRequest(MediaKind.VIDEO, prompt="the boat drifts")


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


# ---- bodies -------------------------------------------------------------------------------------------------------


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


# ---- answers to pictures ------------------------------------------------------------------------------------------

FILTERED = {"error": {"code": "OutputImageSensitiveContentDetected", "message": "no"}}
BROKEN = {"error": {"code": "InternalServiceError", "message": "oops"}}


def test_finished_pictures_are_paid_one_by_one() -> None:
    answer = {"data": [{"url": "https://a"}, FILTERED, {"url": "https://b"}]}
    finished = read_pictures(DREAM, answer, hide_nothing)
    assert finished == Finished((Output("https://a"), Output("https://b")), cost=80_000)


def test_what_searches_cost_is_not_guessed() -> None:
    answer = {"data": [{"url": "https://a"}], "usage": {"generated_images": 1, "tool_usage": {"web_search": 2}}}
    assert read_pictures(DREAM, answer, hide_nothing) == Finished((Output("https://a"),))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"data": [FILTERED]}, Moderated),
        ({"data": [BROKEN]}, JobFailed),
        ({"data": [FILTERED, BROKEN]}, Moderated),
        ({"data": [], **BROKEN}, JobFailed),
    ],
)
def test_when_no_picture_came_the_first_error_says_why(answer: dict[str, Any], kind: type[StepError]) -> None:
    with pytest.raises(kind) as raised:
        read_pictures(DREAM, answer, hide_nothing)
    assert raised.value.facts["cost"] == 0


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"data": []},
        {"data": "x"},
        {"data": [{"url": [5]}]},
        {"data": [{"url": "data:image/png;base64,AA=="}]},
        {"data": ["odd"]},
        BROKEN,
    ],
    ids=shown,
)
def test_an_answer_without_pictures_leaves_the_start_unknown(answer: dict[str, Any] | None) -> None:
    with pytest.raises(StartUnknown):
        read_pictures(DREAM, answer, hide_nothing)


# ---- errors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "A.B", "message": "why", "param": "x"}},
        {"code": "A.B", "message": "why"},
        {"ResponseMetadata": {"Error": {"Code": "A.B", "Message": "why"}}},
    ],
)
def test_an_error_is_read_in_each_of_its_shapes(body: dict[str, Any]) -> None:
    assert error_of(body) == ("A.B", "why")


@pytest.mark.parametrize("body", [None, {}, {"error": "text"}, {"error": None}, {"ResponseMetadata": 5}])
def test_an_error_in_no_known_shape_is_empty(body: dict[str, Any] | None) -> None:
    assert error_of(body) == ("", "")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "MissingParameter.prompt", InputRejected),
        (400, "InvalidParameter.UnsupportedParameter", InputRejected),
        (400, "InvalidImageURL.InvalidFormat", InputRejected),
        (400, "SensitiveContentDetected.Violence", Moderated),
        (400, "InputTextSensitiveContentDetected", Moderated),
        (400, "InputImageSensitiveContentDetected.PrivacyInformation", Moderated),
        (400, "OutputImageSensitiveContentDetected.DeepFake", Moderated),
        (400, "InvalidEndpoint.ClosedEndpoint", ModelUnavailable),
        (401, "AuthenticationError", BadCredentials),
        (401, "InvalidAccountStatus", BadCredentials),
        (402, "", CreditExhausted),
        (403, "AccessDenied", BadCredentials),
        (403, "AccountOverdueError", CreditExhausted),
        (403, "OperationDenied.ServiceNotOpen", ModelUnavailable),
        (403, "OperationDenied.ServiceOverdue", CreditExhausted),
        (404, "InvalidEndpointOrModel.NotFound", ModelUnavailable),
        (404, "InvalidEndpointOrModel.ModelIDAccessDisabled", ModelUnavailable),
        (404, "ModelNotOpen", ModelUnavailable),
        (404, "", ModelUnavailable),
        (422, "", InputRejected),
    ],
)
def test_refusals(status: int, code: str, kind: type[StepError]) -> None:
    error = read_error(status, {"error": {"code": code, "message": "why"}}, hide_nothing)
    assert type(error) is kind
    assert error.facts["status"] == status
    assert "why" in error.message


@pytest.mark.parametrize(
    ("code", "message", "is_final"),
    [
        ("SetLimitExceeded", "Your own limit.", True),
        ("QuotaExceeded", "The free trial quota is used up.", True),
        ("QuotaExceeded", "Too many queued tasks. Please try again later.", False),
        ("RateLimitExceeded.EndpointRPMExceeded", "", False),
        ("ServerOverloaded", "", False),
        ("", "", False),
    ],
)
def test_only_two_limits_are_not_worth_waiting_for(code: str, message: str, is_final: bool) -> None:
    error = read_limit({"error": {"code": code, "message": message}}, hide_nothing)
    assert (type(error) is CreditExhausted) is is_final


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("OutputVideoSensitiveContentDetected", Moderated),
        ("OutputAudioSensitiveContentDetected.PolicyViolation", Moderated),
        ("InvalidParameter.TaskTypeMismatch", InputRejected),
        ("InternalServiceError", JobFailed),
        ("", JobFailed),
    ],
)
def test_why_a_task_failed(code: str, kind: type[StepError]) -> None:
    error = read_failure({"code": code, "message": "why"}, hide_nothing)
    assert type(error) is kind
    assert error.facts["cost"] == 0
    assert error.facts.get("provider_code", "") == code


# ---- a task's state -----------------------------------------------------------------------------------------------

JOB = Job("cgt-20261121030000-ab1cd", {"rate": "2400000"})


def state(status: object, **more: Any) -> JobState:
    return read_state({"id": JOB.id, "status": status, **more}, JOB, hide_nothing)


@pytest.mark.parametrize("word", ["queued", "running"])
def test_words_of_work_are_pending(word: str) -> None:
    assert state(word) == Pending(word)


def test_a_finished_task_gives_video_last_frame_cost_and_expiry() -> None:
    done = state(
        "succeeded",
        content={"video_url": "https://v?x=1", "last_frame_url": "https://f?x=1"},
        usage={"total_tokens": 108_900},
        updated_at=1_795_230_061,
    )
    assert done == Succeeded(
        (Output("https://v?x=1"),),
        261_360,
        {"last_frame_url": "https://f?x=1", "output_expires_at": "2026-11-22T03:01:01.000Z"},
    )


@pytest.mark.parametrize("moment", [None, "now", 10**30, -1])
def test_a_strange_moment_is_no_expiry(moment: object) -> None:
    done = state("succeeded", content={"video_url": "https://v"}, updated_at=moment)
    assert done == Succeeded((Output("https://v"),))


@pytest.mark.parametrize("usage", [None, {}, {"total_tokens": "many"}, {"total_tokens": -1}])
def test_without_a_token_count_the_cost_is_unknown(usage: object) -> None:
    done = state("succeeded", content={"video_url": "https://v"}, usage=usage)
    assert done == Succeeded((Output("https://v"),))


@pytest.mark.parametrize(
    ("task", "cost"),
    [
        ({"model": DANCE.raw_id, "generate_audio": True}, 2_400),
        ({"model": DANCE.raw_id, "generate_audio": False, "service_tier": "flex"}, 600),
        ({"model": SECOND.raw_id, "resolution": "1080p"}, 7_700),
        ({"model": SECOND.raw_id, "resolution": "8k"}, None),
        ({"model": "ep-1"}, None),
    ],
    ids=shown,
)
def test_a_task_that_was_found_again_tells_its_own_rate(task: dict[str, Any], cost: int | None) -> None:
    payload = {"status": "succeeded", "content": {"video_url": "https://v"}, "usage": {"total_tokens": 1_000}} | task
    done = read_state(payload, Job("cgt-1"), hide_nothing)
    assert isinstance(done, Succeeded)
    assert done.cost == cost


def test_cancelled_expired_and_failed_tasks() -> None:
    assert state("cancelled") == Canceled()
    expired, moderated, failed = (
        state("expired"),
        state("failed", error={"code": "OutputVideoSensitiveContentDetected", "message": "no"}),
        state("failed", error=None),
    )
    for ended_badly, kind, code in (
        (expired, JobExpired, "provider_expired"),
        (moderated, Moderated, "provider_content_moderated"),
        (failed, JobFailed, "provider_failed"),
    ):
        assert isinstance(ended_badly, Failed)
        assert type(ended_badly.error) is kind
        assert ended_badly.error.reason == code
        assert ended_badly.error.facts["cost"] == 0


@pytest.mark.parametrize(
    ("status", "more"),
    [
        ("reviewing", {}),
        ("canceled", {}),
        ("Succeeded", {}),
        ("succeeded", {}),
        ("succeeded", {"content": {"video_url": 5}}),
        (None, {}),
        (["running"], {}),
    ],
)
def test_what_no_sheet_knows_is_looked_at_again_and_then_an_error(status: object, more: dict[str, Any]) -> None:
    unsure = state(status, **more)
    assert isinstance(unsure, Unsure)
    assert (unsure.seconds, unsure.reads) == (120, 10)
    assert isinstance(unsure.error, UnexpectedResponse)
    assert "BytePlus" in unsure.error.message
    assert unsure.word in unsure.error.message


# ---- finding and being told ---------------------------------------------------------------------------------------

WINDOW = Window(NOW, NOW + timedelta(seconds=5))


def listed(seconds: float = 0, **more: Any) -> dict[str, Any]:
    return {"id": "cgt-1", "safety_identifier": TOKEN, "created_at": int(NOW.timestamp() + seconds), **more}


@pytest.mark.parametrize(
    ("items", "found"),
    [
        ([listed()], "cgt-1"),
        ([listed(-60)], "cgt-1"),
        ([listed(65)], "cgt-1"),
        ([listed(-61)], None),
        ([listed(66)], None),
        ([listed(safety_identifier="another", id="cgt-2"), "odd", listed()], "cgt-1"),
        ([listed(), listed(id="cgt-2")], None),
        ([listed(created_at=None)], None),
        ([listed(id=None)], None),
        (None, None),
    ],
)
def test_exactly_one_task_with_our_token_and_of_that_time_is_ours(items: object, found: str | None) -> None:
    job = find_task({"items": items}, TOKEN, WINDOW)
    assert job == (Job(found) if found else None)


def test_a_list_that_reaches_back_to_the_submit_and_lacks_the_task_says_that_there_is_none() -> None:
    assert find_task({"items": []}, TOKEN, WINDOW) == Absent()
    others = [listed(safety_identifier="another") for _ in range(PAGE)]
    assert find_task({"items": others[1:]}, TOKEN, WINDOW) == Absent()
    assert find_task({"items": others}, TOKEN, WINDOW) is None, "the page is full: there may be more"
    older = listed(-61, safety_identifier="another")
    assert find_task({"items": [*others[1:], older]}, TOKEN, WINDOW) == Absent()


@pytest.mark.parametrize(
    ("body", "notice"),
    [
        ({"id": "a", "status": "queued"}, Notice("a", "queued", ended=False)),
        ({"id": "a", "status": "running"}, Notice("a", "running", ended=False)),
        ({"id": "a", "status": "succeeded"}, Notice("a", "succeeded", ended=True)),
        ({"id": "a", "status": "expired"}, Notice("a", "expired", ended=True)),
        ({"id": ["a"]}, Notice(None, None, ended=True)),
    ],
)
def test_notices_are_read_leniently(body: dict[str, Any], notice: Notice) -> None:
    assert read_notice(json.dumps(body).encode()) == notice


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_notice_that_is_no_json_object_is_the_senders_fault(body: bytes) -> None:
    with pytest.raises(RequestError) as raised:
        read_notice(body)
    assert raised.value.reason == "invalid_json"


# ---- over HTTP ----------------------------------------------------------------------------------------------------


@pytest.fixture
def provider(sandbox: Control, http: httpx.AsyncClient) -> Provider:
    return adapter(byteplus, sandbox.url, http)


async def test_the_simulator_takes_what_the_adapter_sends_with_references(provider: Provider, sandbox: Control) -> None:
    for items in ([TEXT, VIDEO, SOUND], [TEXT, SOUND], [SOUND, picture_item("reference_image")]):
        await start(provider, request(SECOND, {"content": items}, ADDRESS))
    assert await sandbox.paid_starts() == 3


async def test_pictures_are_finished_by_the_submit_itself(provider: Provider, sandbox: Control) -> None:
    for card in (DREAM, MODELS["bytedance/seedream-4"], MODELS["bytedance/seedream-5-lite"]):
        finished = await provider.submit(request(card, PROMPT, PICTURE), "key", None)
        assert isinstance(finished, Finished)
        assert len(finished.outputs) == 1
        assert finished.cost == card.price({}, 0).low
        assert finished.facts["request_id"].startswith("021")
    assert await sandbox.paid_starts() == 3


async def test_of_several_pictures_the_good_ones_are_kept(provider: Provider, sandbox: Control) -> None:
    params = PROMPT | {
        "sequential_image_generation": "auto",
        "sequential_image_generation_options": {"max_images": 3},
    }
    await sandbox.put_faults({"kind": "moderated", "item": 1})
    finished = await provider.submit(request(DREAM, params), "key", None)
    assert isinstance(finished, Finished)
    assert len(finished.outputs) == 2
    assert finished.cost == 80_000


@pytest.mark.parametrize("stage", ["input", "output"])
async def test_a_moderated_picture_is_moderated(provider: Provider, sandbox: Control, stage: str) -> None:
    await sandbox.put_faults({"kind": "moderated", "stage": stage})
    with pytest.raises(Moderated, match="sensitive"):
        await provider.submit(request(DREAM, PROMPT), "key", None)


async def test_a_video_is_made(provider: Provider, sandbox: Control) -> None:
    params = CONTENT | {"ratio": "16:9", "return_last_frame": True}
    job = await start(provider, request(DANCE, params, PICTURE))
    done = await ended(provider, job)
    assert isinstance(done, Succeeded)
    assert done.cost == 261_360
    assert len(done.outputs) == 1
    assert set(done.metadata) == {"last_frame_url", "output_expires_at"}
    (row,) = await sandbox.submits()
    assert row["body"]["safety_identifier"] == TOKEN
    assert row["headers"]["x-client-request-id"] == "babychain:run:step:1"
    assert [item.get("role") for item in row["body"]["content"]] == [None, "first_frame"]


@pytest.mark.parametrize("model", [name for name, card in MODELS.items() if card.kind is MediaKind.VIDEO])
async def test_every_video_model_starts_from_a_picture(provider: Provider, model: str) -> None:
    job = await start(provider, request(MODELS[model], CONTENT, PICTURE))
    assert isinstance(await ended(provider, job), Succeeded)


async def test_a_callback_names_the_task_from_its_first_state_on(
    provider: Provider, sandbox: Control, receiver: Receiver
) -> None:
    job = await start(provider, request(DANCE, CONTENT), callback_url=f"{receiver.url}/hook/token")
    deliveries = [await receiver.next() for _ in range(3)]
    notices = [provider.notice(delivery.headers, delivery.body, NOW) for delivery in deliveries]
    assert {notice.job_id for notice in notices} == {job.id}
    assert {(notice.status, notice.ended) for notice in notices} == {
        ("queued", False),
        ("running", False),
        ("succeeded", True),
    }


@pytest.mark.parametrize("card", [DREAM, DANCE], ids=shown)
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset"},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 409},
        {"kind": "truncated"},
        {"kind": "truncated", "declared": "whole"},
        {"kind": "garbage"},
        {"kind": "html"},
        {"kind": "wrong_type"},
        {"kind": "error_in_200"},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
async def test_a_lost_answer_leaves_the_start_unknown(
    provider: Provider, sandbox: Control, card: ModelCard, fault: dict[str, Any]
) -> None:
    await sandbox.put_faults(fault | {"when": "after"})
    params = PROMPT if card is DREAM else CONTENT
    with pytest.raises(StartUnknown):
        await provider.submit(request(card, params), "key", None)
    assert await sandbox.paid_starts() == 1


async def test_a_task_answer_without_an_id_leaves_the_start_unknown(provider: Provider, sandbox: Control) -> None:
    await sandbox.put_faults({"kind": "no_job_id", "when": "after"})
    with pytest.raises(StartUnknown):
        await provider.submit(request(DANCE, CONTENT), "key", None)


async def test_no_room_is_refused_with_the_time_to_wait(provider: Provider, sandbox: Control) -> None:
    await sandbox.put_faults({"kind": "status", "status": 429, "headers": {"Retry-After": "7"}})
    with pytest.raises(Refused) as raised:
        await provider.submit(request(DANCE, CONTENT), "key", None)
    assert raised.value.reason == "provider_rate_limited"
    assert raised.value.retry_after == 7


async def test_a_spending_stop_is_not_waited_for(provider: Provider, sandbox: Control) -> None:
    body = {"error": {"code": "SetLimitExceeded", "message": "The limit that you set is reached."}}
    await sandbox.put_faults({"kind": "status", "status": 429, "body": body})
    with pytest.raises(CreditExhausted, match="limit that you set"):
        await provider.submit(request(DANCE, CONTENT), "key", None)


async def test_what_byteplus_itself_refuses(sandbox: Control, http: httpx.AsyncClient, provider: Provider) -> None:
    with pytest.raises(InputRejected, match="size") as raised:
        await provider.submit(request(DREAM, PROMPT | {"size": "1024x1024"}), "key", None)
    assert raised.value.facts["request_id"].startswith("021")
    await sandbox.put_faults({"kind": "no_credit"})
    with pytest.raises(CreditExhausted, match="overdue"):
        await provider.submit(request(DANCE, CONTENT), "key", None)
    stranger = adapter(byteplus, sandbox.url, http, ARK_API_KEY="wrong-key-123")
    with pytest.raises(BadCredentials):
        await stranger.submit(request(DANCE, CONTENT), "key", None)
    other = adapter(byteplus, sandbox.url, http, BYTEPLUS_ENDPOINT_BYTEDANCE_SEEDANCE_15_PRO="ep-20261121-none")
    with pytest.raises(ModelUnavailable, match="ep-20261121-none"):
        await other.submit(request(DANCE, CONTENT), "key", None)
    assert await sandbox.paid_starts() == 0


async def test_a_key_that_byteplus_echoes_is_in_no_error(provider: Provider, sandbox: Control) -> None:
    await sandbox.put_faults({"kind": "echo_key"})
    with pytest.raises(InputRejected) as raised:
        await provider.submit(request(DANCE, CONTENT), "key", None)
    assert "[redacted]" in raised.value.message
    assert key_of("ark") not in raised.value.message


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "moderated"}, Moderated),
        ({"kind": "failed"}, JobFailed),
        ({"kind": "failed", "word": "expired"}, JobExpired),
    ],
    ids=shown,
)
async def test_how_a_task_failed(
    provider: Provider, sandbox: Control, fault: dict[str, Any], kind: type[StepError]
) -> None:
    await sandbox.put_faults(fault)
    failed = await ended(provider, await start(provider, request(DANCE, CONTENT)))
    assert isinstance(failed, Failed)
    assert type(failed.error) is kind


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 429, "headers": {"Retry-After": "3"}}, "provider_rate_limited"),
        ({"kind": "status", "status": 500}, "provider_unavailable"),
        ({"kind": "status", "status": 401}, "provider_unauthorized"),
        ({"kind": "status", "status": 403}, "provider_unauthorized"),
        ({"kind": "reset"}, "provider_network_error"),
        ({"kind": "truncated"}, "provider_unexpected_response"),
    ],
    ids=shown,
)
async def test_a_bad_read_never_loses_a_paid_task(
    provider: Provider, sandbox: Control, fault: dict[str, Any], code: str
) -> None:
    job = await start(provider, request(DANCE, CONTENT))
    await sandbox.put_faults(fault | {"operation": "status", "count": 2})
    with pytest.raises(Refused) as raised:
        await provider.status(job)
    assert raised.value.reason == code
    with pytest.raises(Refused):
        await provider.cancel(job)
    assert isinstance(await ended(provider, job), Succeeded)


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"kind": "unknown_status", "word": "reviewing"}, "reviewing"),
        ({"kind": "gone_after_success"}, "not found"),
        ({"kind": "status", "status": 418}, "HTTP 418"),
        ({"kind": "wrong_type"}, "no status"),
        ({"kind": "redirect", "location": "https://example.com/"}, "HTTP 307"),
    ],
    ids=shown,
)
async def test_a_strange_read_is_unsure_and_may_mend(
    provider: Provider, sandbox: Control, fault: dict[str, Any], word: str
) -> None:
    job = await start(provider, request(DANCE, CONTENT))
    await sandbox.put_faults(fault | {"operation": "status"})
    unsure = await provider.status(job)
    assert isinstance(unsure, Unsure)
    assert unsure.word == word
    assert isinstance(await ended(provider, job), Succeeded)


async def test_a_queued_task_is_stopped(http: httpx.AsyncClient) -> None:
    async with running_sandbox(replace(QUICK, video_seconds=600)) as url:
        provider = adapter(byteplus, url, http)
        job = await start(provider, request(DANCE, CONTENT))
        assert await provider.cancel(job) is CancelOutcome.STOPPED
        assert await provider.status(job) == Canceled()
        assert await provider.cancel(job) is CancelOutcome.STOPPED  # a repeat, as after a lost answer


async def test_a_running_task_is_left_alone_and_so_is_the_record_of_an_ended_one(
    provider: Provider, sandbox: Control
) -> None:
    await sandbox.put_faults({"kind": "never_ends"})
    running = await start(provider, request(DANCE, CONTENT))
    async with asyncio.timeout(10):
        while await provider.status(running) != Pending("running"):
            await asyncio.sleep(0.005)
    assert await provider.cancel(running) is CancelOutcome.NOT_STOPPED
    done = await start(provider, request(DANCE, CONTENT))
    assert isinstance(await ended(provider, done), Succeeded)
    assert await provider.cancel(done) is CancelOutcome.NOT_STOPPED
    assert isinstance(await provider.status(done), Succeeded)
    assert await provider.cancel(Job("cgt-never-was")) is CancelOutcome.NOT_STOPPED


async def byteplus_that_says(*answers: tuple[str, int, str]) -> tuple[CancelOutcome, list[str]]:
    """The outcome of a cancel against given answers (method, status code, status word), and what was asked."""
    asked: list[str] = []
    left = list(answers)

    async def answer(call: httpx.Request) -> httpx.Response:
        method, code, word = left.pop(0)
        assert call.method == method
        asked.append(method)
        return httpx.Response(code, json={"status": word})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        provider = byteplus.create({"ARK_API_KEY": "key-123456"}, http)
        assert provider is not None
        return await provider.cancel(Job("cgt-1")), asked


async def test_a_task_that_began_to_run_under_the_cancel_is_not_stopped() -> None:
    outcome, asked = await byteplus_that_says(("GET", 200, "queued"), ("DELETE", 409, ""))
    assert outcome is CancelOutcome.NOT_STOPPED
    assert asked == ["GET", "DELETE"]


async def test_a_task_whose_record_the_cancel_destroyed_may_have_been_billed() -> None:
    outcome, _ = await byteplus_that_says(("GET", 200, "queued"), ("DELETE", 200, ""), ("GET", 404, ""))
    assert outcome is CancelOutcome.NOT_STOPPED


async def test_a_cancel_whose_answer_is_lost_is_asked_for_again() -> None:
    with pytest.raises(Refused):
        await byteplus_that_says(("GET", 200, "queued"), ("DELETE", 500, ""))


async def test_pictures_have_nothing_to_cancel_or_find(provider: Provider) -> None:
    assert await provider.find(request(DREAM, {}), WINDOW) is None


async def test_a_task_whose_submit_was_lost_is_found_by_its_token(http: httpx.AsyncClient) -> None:
    async with running_sandbox(replace(QUICK, limits=False)) as url:
        provider = adapter(byteplus, url, http)
        control = Control(url, http)
        opened = datetime.now(UTC)
        await control.put_faults({"kind": "reset", "when": "after"})
        with pytest.raises(StartUnknown):
            await provider.submit(request(DANCE, CONTENT), "key", None)
        window = Window(opened, datetime.now(UTC))
        (row,) = await control.submits()
        found = await provider.find(request(DANCE, CONTENT), window)
        assert found == Job(row["job_id"])
        assert isinstance(await ended(provider, found), Succeeded)
        assert await provider.find(replace(request(DANCE, CONTENT), token="another token"), window) == Absent()
        assert await provider.find(request(FIRST, CONTENT), window) == Absent()


async def test_the_scarce_list_is_asked_again_later(provider: Provider, sandbox: Control) -> None:
    await sandbox.put_faults({"kind": "status", "status": 429, "operation": "status"})
    with pytest.raises(Refused) as raised:
        await provider.find(request(DANCE, CONTENT), WINDOW)
    assert raised.value.reason == "provider_rate_limited"
    await sandbox.put_faults({"kind": "status", "status": 400, "operation": "status"})
    with pytest.raises(UnexpectedResponse):
        await provider.find(request(DANCE, CONTENT), WINDOW)


@pytest.mark.parametrize(
    ("base", "asked"),
    [
        ({}, "https://ark.ap-southeast.bytepluses.com/api/v3"),
        ({"ARK_API_BASE_URL": "https://ark.eu-west.bytepluses.com"}, "https://ark.eu-west.bytepluses.com/api/v3"),
        ({"ARK_API_BASE_URL": "https://ark.cn-beijing.volces.com/api/v3/"}, "https://ark.cn-beijing.volces.com/api/v3"),
    ],
    ids=shown,
)
async def test_the_base_url_is_taken_with_and_without_its_path(base: dict[str, str], asked: str) -> None:
    urls: list[str] = []

    async def answer(call: httpx.Request) -> httpx.Response:
        urls.append(str(call.url))
        return httpx.Response(200, json={"id": "cgt-1"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        provider = byteplus.create({"ARK_API_KEY": "key-123456"} | base, http)
        assert provider is not None
        assert isinstance(await provider.submit(request(DANCE, CONTENT), "key", None), Accepted)
    assert urls == [f"{asked}/contents/generations/tasks"]


def test_endpoints_are_named_as_the_contract_names_them() -> None:
    assert [endpoint_setting(name).removeprefix("BYTEPLUS_ENDPOINT_BYTEDANCE_") for name in MODELS] == [
        "SEEDREAM_4",
        "SEEDREAM_45",
        "SEEDREAM_5_LITE",
        "SEEDANCE_1_PRO",
        "SEEDANCE_1_PRO_FAST",
        "SEEDANCE_15_PRO",
        "SEEDANCE_20",
        "SEEDANCE_20_FAST",
    ]

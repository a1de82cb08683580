"""BytePlus's models: what they take, what they cost, and how a wish is told to them."""

from typing import Any

import pytest
from pydantic import ValidationError

from domain.media import MediaKind, MediaRequest
from domain.money import Cost
from domain.provider import ModelCard
from providers.byteplus import MODELS, endpoint_setting
from providers.byteplus.wire import build_task_body
from tests.contract.adapters import request, shown
from tests.contract.byteplus_orders import (
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

FAST = MODELS["bytedance/seedance-1-pro-fast"]


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

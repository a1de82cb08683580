"""RelayDance's models: what they take, and how a wish is told to them."""

from typing import Any

import pytest
from pydantic import ValidationError

from domain.media import MediaKind, MediaRequest
from domain.money import Cost
from domain.provider import ModelCard, SafetyClass
from providers.relaydance import MODELS
from providers.relaydance.references import reference
from tests.contract.adapters import shown
from tests.contract.relaydance_orders import (
    FIRST,
    FUSION,
    HORSE,
    KITE,
    LAST,
    PROMPT,
    SILENT,
    SOUND,
    VIDEO,
    each_model,
    having,
    item,
)

SINGING = MODELS["relaydance/seedance-1-5-pro-with-audio"]


def test_the_models_are_those_of_the_contract() -> None:
    assert {name: card.raw_id for name, card in MODELS.items()} == {
        "relaydance/seedance-1-5-pro-with-audio": "seedance-1-5-pro-with-audio",
        "relaydance/seedance-1-5-pro-no-audio": "seedance-1-5-pro-no-audio",
        "relaydance/doubao-seedance-2-0-1080p": "doubao-seedance-2-0-1080p",
        "relaydance/happyhorse-1.0-i2v": "happyhorse-1.0-i2v",
    }
    for card in MODELS.values():
        assert card.endpoint == "https://relaydance.com/v1/video/generations"
        assert (card.kind, card.inputs.maximum, card.modes) == (MediaKind.VIDEO, 9, ("byok",))


@each_model
def test_only_a_webhook_can_bring_a_lost_task_back(card: ModelCard) -> None:
    assert card.safety(webhooks_reach_us=True) is SafetyClass.B
    assert card.safety(webhooks_reach_us=False) is SafetyClass.C


@each_model
def test_relaydance_is_asked_as_often_as_its_own_samples_ask(card: ModelCard) -> None:
    assert card.looks.pause == 5


@each_model
def test_what_relaydance_charges_is_published_nowhere(card: ModelCard) -> None:
    assert card.price(PROMPT | {"seconds": "5"}, 1) == Cost.unknown()


@pytest.mark.parametrize(
    ("card", "params", "path"),
    [
        (SILENT, {}, ("prompt",)),
        (SILENT, {"prompt": " "}, ("prompt",)),
        (SILENT, PROMPT | {"seconds": 5}, ("seconds",)),
        (SILENT, PROMPT | {"seconds": "5s"}, ("seconds",)),
        (SILENT, PROMPT | {"seconds": "0"}, ("seconds",)),
        (SILENT, PROMPT | {"seconds": "16"}, ("seconds",)),
        (SILENT, PROMPT | {"metadata": "16:9"}, ("metadata",)),
        (SILENT, having(ratio="2:1"), ("metadata", "ratio")),
        (SILENT, having(resolution="720P"), ("metadata", "resolution")),
        (SILENT, having(resolution="4k"), ("metadata", "resolution")),
        (SILENT, having(watermark="no"), ("metadata", "watermark")),
        (SILENT, having(colour="blue"), ("metadata", "colour")),
        (SINGING, having(generate_audio=True), ("metadata", "generate_audio")),
        (HORSE, having(generate_audio=True), ("metadata", "generate_audio")),
        (FUSION, having(generate_audio="yes"), ("metadata", "generate_audio")),
        (SILENT, having("odd"), ("metadata", "content", 0)),
        (SILENT, having({"type": "text", "text": "x"}), ("metadata", "content", 0, "type")),
        (SILENT, having({"type": "image_url", "image_url": {"url": KITE}}), ("metadata", "content", 0, "role")),
        (SILENT, having(item("image_url", "first")), ("metadata", "content", 0, "role")),
        (
            SILENT,
            having(item("image_url", "first_frame", "data:image/png;base64,AA==")),
            ("metadata", "content", 0, "image_url", "url"),
        ),
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
    ("params", "path"),
    [
        (having({"type": "image_url", "role": "first_frame"}), ("metadata", "content", 0, "image_url")),
        (having(FIRST | {"video_url": {"url": KITE}}), ("metadata", "content", 0, "video_url")),
        (having(item("video_url", "reference_image")), ("metadata", "content", 0, "role")),
        (having(item("image_url", "reference_audio")), ("metadata", "content", 0, "role")),
        (having(reference("https://a"), FIRST), ("metadata", "content")),
        (having(LAST, reference("https://a")), ("metadata", "content")),
        (having(reference("https://a"), reference("https://a")), ("metadata", "content")),
        (having(FIRST, FIRST), ("metadata", "content")),
        (having(LAST, LAST), ("metadata", "content")),
        (having(*[VIDEO] * 4), ("metadata", "content")),
        (having(*[SOUND] * 4), ("metadata", "content")),
        ({"prompt": "from @image0 on"}, ("prompt",)),
        ({"prompt": "@image10 flies"}, ("prompt",)),
        ({"prompt": "@image01 flies"}, ("prompt",)),
        ({"prompt": f"@image{'9' * 5000} flies"}, ("prompt",)),
    ],
    ids=lambda value: str(value)[:60],
)
def test_certain_rules_over_several_values_are_faults(params: dict[str, Any], path: tuple[str, ...]) -> None:
    FUSION.params.model_validate(params)
    assert path in [fault.path for fault in FUSION.check(params)]


@pytest.mark.parametrize(
    ("card", "params", "words"),
    [
        (SILENT, PROMPT | {"seconds": "3"}, "4 to 12"),
        (SILENT, PROMPT | {"seconds": "13"}, "4 to 12"),
        (HORSE, PROMPT | {"seconds": "2"}, "3 to 15"),
        (HORSE, having(resolution="480p"), "720p, 1080p"),
        (FUSION, having(resolution="720p"), "know 1080p"),
        (SILENT, having(ratio="adaptive"), "ratio adaptive"),
        (SILENT, having(watermark=False), "watermark"),
        (SILENT, having(LAST), "last_frame"),
        (SILENT, {"prompt": "a" * 2001}, "2000"),
    ],
    ids=lambda value: shown(value)[:60],
)
def test_what_only_clients_know_is_accepted_with_a_warning(card: ModelCard, params: dict[str, Any], words: str) -> None:
    card.params.model_validate(params)
    assert card.check(params) == []
    (warning,) = card.warn(params)
    assert words in warning.message


@pytest.mark.parametrize("ratio", ["16:9", "9:16", "1:1"])
@each_model
def test_what_is_documented_passes_without_a_word(card: ModelCard, ratio: str) -> None:
    for seconds in ("5", "10"):
        params = having(VIDEO, SOUND, ratio=ratio, resolution="1080p") | {"seconds": seconds}
        card.params.model_validate(params)
        assert card.check(params) == []
        assert card.warn(params) == []


def test_sound_is_a_switch_of_seedance_2_alone() -> None:
    params = having(generate_audio=False)
    FUSION.params.model_validate(params)
    assert FUSION.warn(params) == []


@pytest.mark.parametrize(
    ("mapped", "native", "merged"),
    [
        (having(ratio="1:1"), {}, having(ratio="1:1")),
        (
            PROMPT | {"seconds": "4", "metadata": {"ratio": "1:1", "resolution": "720p"}},
            {"seconds": "5", "metadata": {"ratio": "16:9", "content": [VIDEO]}},
            having(VIDEO, ratio="16:9", resolution="720p") | {"seconds": "5"},
        ),
        ({"metadata": {"ratio": "1:1"}}, {"metadata": "odd"}, {"metadata": "odd"}),
    ],
    ids=shown,
)
def test_native_metadata_wins_field_by_field(
    mapped: dict[str, Any], native: dict[str, Any], merged: dict[str, Any]
) -> None:
    assert SILENT.merge(mapped, native) == merged


def test_a_wish_is_told_in_relaydances_words() -> None:
    wish = MediaRequest(
        MediaKind.VIDEO,
        prompt="waves roll",
        last_frame="https://example.com/z.png",
        ratio="5:4",
        resolution="720p",
        seconds=20,
        seed=9,
        audio=True,
        watermark=False,
        output_format="mp4",
    )
    mapped = SINGING.from_neutral(wish)
    assert mapped.params == {
        "prompt": "waves roll",
        "seconds": "12",
        "metadata": {"ratio": "4:3", "resolution": "720p", "watermark": False},
    }
    assert mapped.lost == ("last frame", "seed", "exact ratio (it gets 4:3)", "exact duration (it gets 12 seconds)")
    assert FUSION.from_neutral(wish).params["metadata"] == {"ratio": "4:3", "watermark": False, "generate_audio": True}
    assert "resolution" in FUSION.from_neutral(wish).lost


@pytest.mark.parametrize(
    ("card", "wanted", "lost"),
    [
        (SINGING, True, ()),
        (SINGING, False, ("silence",)),
        (SILENT, True, ("sound",)),
        (SILENT, False, ()),
        (HORSE, True, ("sound",)),
        (FUSION, False, ()),
    ],
    ids=shown,
)
def test_whether_a_model_can_be_told_of_sound(card: ModelCard, wanted: bool, lost: tuple[str, ...]) -> None:
    assert card.from_neutral(MediaRequest(MediaKind.VIDEO, audio=wanted)).lost == lost


def test_parameters_are_read_back_into_neutral_words() -> None:
    params = having(LAST, ratio="adaptive", resolution="1080p", watermark=True) | {"seconds": "7"}
    read = SINGING.read_neutral(params)
    assert read == MediaRequest(
        MediaKind.VIDEO,
        prompt="the kite lifts off",
        last_frame=KITE,
        resolution="1080p",
        seconds=7,
        audio=True,
        watermark=True,
    )
    assert SILENT.read_neutral(PROMPT).audio is False
    assert HORSE.read_neutral(PROMPT).audio is None
    assert FUSION.read_neutral(having(generate_audio=False)).audio is False

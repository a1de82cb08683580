"""RelayDance: what it answers, and what that means."""

import json
from collections.abc import Callable
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
from domain.media import InputFile, InputForm, MediaKind, MediaRequest
from domain.money import Cost
from domain.plan import ChainPlan
from domain.provider import (
    Accepted,
    Canceled,
    CancelOutcome,
    Failed,
    Job,
    JobRequest,
    JobState,
    ModelCard,
    Notice,
    Output,
    Pending,
    Provider,
    SafetyClass,
    Succeeded,
    Unsure,
    Window,
)
from net.paid import fenced
from providers import relaydance
from providers._answers import Redactor
from providers.relaydance import MODELS
from providers.relaydance.citations import check_pictures, with_citation
from providers.relaydance.references import reference
from providers.relaydance.wire import (
    build_body,
    error_of,
    read_error,
    read_job,
    read_limit,
    read_notice,
    read_state,
)
from tests.contract.adapters import Control, adapter, ended, key_of, request, start
from tests.contract.test_every_provider import faults_of, plan
from tests.support.orders import order
from tests.support.pictures import jpeg
from tests.support.sandbox_server import QUICK, running_sandbox
from tests.support.webhook_receiver import Receiver
from tests.unit.domain.test_planning import plan as planned

NOW = datetime(2026, 11, 21, 3, 10, tzinfo=UTC)
SINGING = MODELS["relaydance/seedance-1-5-pro-with-audio"]
SILENT = MODELS["relaydance/seedance-1-5-pro-no-audio"]
FUSION = MODELS["relaydance/doubao-seedance-2-0-1080p"]
HORSE = MODELS["relaydance/happyhorse-1.0-i2v"]
PROMPT = {"prompt": "the kite lifts off"}
KITE = "https://example.com/kite.png"
ADDRESS = InputFile(url=KITE)
PICTURE = InputFile(data=jpeg("a", (512, 512)), media_type="image/jpeg")
DIALECTS = ["documented", "openai", "newapi"]
hide_nothing = Redactor("no-such-key-anywhere")

each_model = pytest.mark.parametrize("card", MODELS.values(), ids=lambda card: card.id)


def shown(value: object) -> str:
    """In a test's name: a card would print its functions' addresses, which differ between processes."""
    return value.id if isinstance(value, ModelCard) else str(value)


def item(kind: str, role: str, url: str = KITE) -> dict[str, Any]:
    return {"type": kind, kind: {"url": url}, "role": role}


FIRST, LAST = (item("image_url", role) for role in ("first_frame", "last_frame"))
VIDEO, SOUND = item("video_url", "reference_video"), item("audio_url", "reference_audio")


def having(*content: Any, **metadata: Any) -> dict[str, Any]:
    return PROMPT | {"metadata": {"content": list(content)} | metadata}


# ---- models -------------------------------------------------------------------------------------------------------


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


# ---- pictures and citations -----------------------------------------------------------------------------------------


def test_references_are_read_in_their_order_and_the_rest_stays() -> None:
    params = having(reference("https://a"), VIDEO, reference("https://b") | {"video_url": None}, ratio="1:1")
    assert FUSION.read_inputs(params) == (("https://a", "https://b"), having(VIDEO, ratio="1:1"))
    assert FUSION.read_inputs(having(ratio="1:1")) == ((), having(ratio="1:1"))


@pytest.mark.parametrize(
    "content",
    [
        [reference("https://a"), LAST],
        [reference("https://a"), reference("https://a")],
        [reference("https://a"), {"type": "image_url", "image_url": {"url": 5}, "role": "reference_image"}],
        [reference("https://a"), reference("https://b") | {"colour": "blue"}],
        ["odd", VIDEO],
    ],
    ids=shown,
)
def test_content_that_will_be_refused_is_left_together(content: list[Any]) -> None:
    """Otherwise the numbers of the pictures would shift, or a mixture go unnoticed."""
    urls, rest = FUSION.read_inputs(having(*content))
    assert rest == having(*content)
    assert set(urls) <= {"https://a", "https://b"}


@pytest.mark.parametrize("content", [[FIRST], [FIRST, LAST], [VIDEO, LAST, FIRST]], ids=shown)
def test_a_first_frame_is_read_and_keeps_its_place_and_role(content: list[Any]) -> None:
    assert SILENT.read_inputs(having(*content)) == ((KITE,), having(*content))
    assert SILENT.read_neutral(having(*content)).images == (KITE,)
    assert SILENT.check(having(*content)) == []
    assert SILENT.check_pictures(having(*content), 1) == []


def test_nine_references_are_planned_in_their_order_and_ten_are_refused() -> None:
    urls = [f"https://example.com/{number}.png" for number in range(10)]
    (step,) = plan(FUSION, having(*map(reference, urls[:9]))).steps
    assert [ref.url for ref in step.inputs] == urls[:9]
    (fault,) = faults_of(FUSION, having(*map(reference, urls)))
    assert "10 pictures" in fault.message


def test_a_model_that_only_animates_pictures_is_refused_in_a_step_without_one() -> None:
    with pytest.raises(RequestError, match="needs an input picture"):
        order(HORSE.id)
    assert order(SILENT.id)


def test_mixed_roles_and_a_callback_of_the_callers_are_refused_while_planning() -> None:
    (mixed,) = faults_of(FUSION, having(reference(KITE), LAST))
    assert mixed.path == ("input", "main_params", "metadata", "content")
    faults = faults_of(FUSION, having(callback_url="https://example.com/hook"))
    assert ("input", "main_params", "metadata", "callback_url") in [fault.path for fault in faults]


@pytest.mark.parametrize(
    ("prompt", "cited"),
    [
        ("the kite lifts off", "@image1 the kite lifts off"),
        ("@image1 lifts off", "@image1 lifts off"),
        ("as in @image2", "as in @image2"),
        ("an @image of a kite", "@image1 an @image of a kite"),
    ],
)
def test_a_prompt_cites_at_least_the_first_picture(prompt: str, cited: str) -> None:
    assert with_citation(prompt) == cited


@pytest.mark.parametrize(
    ("prompt", "pictures", "content", "fits"),
    [
        ("@image1", 1, [], True),
        ("@image2", 1, [], False),
        ("@image2 and @image1", 2, [], True),
        ("@image9", 9, [], True),
        ("@image1", 0, [], False),
        ("a kite", 0, [], True),
        ("@image2", 0, [FIRST, LAST], True),
        ("@image1", 1, [VIDEO], True),
        ("a kite", 1, [LAST], False),
        ("a kite", 1, [FIRST], True),
        ("a kite", 1, [FIRST, LAST], True),
        ("@image2", 1, [FIRST, LAST], True),
        ("@image2", 1, [FIRST], False),
        ("a kite", 2, [FIRST], False),
    ],
    ids=shown,
)
def test_citations_and_roles_are_judged_with_the_chains_pictures(
    prompt: str, pictures: int, content: list[Any], fits: bool
) -> None:
    params = having(*content) | {"prompt": prompt}
    assert (check_pictures(params, pictures) == []) is fits


@pytest.mark.parametrize(
    ("prompt", "pictures", "content", "uncited"),
    [
        ("@image2 moves", 2, [], "@image1"),
        ("@image1 and @image2", 2, [], None),
        ("it moves", 3, [], "@image2, @image3"),
        ("@image3 beside @image1", 4, [], "@image2, @image4"),
        ("it moves", 1, [], None),
        ("it moves", 0, [], None),
        ("it moves", 1, [VIDEO, SOUND], None),
        ("it moves", 1, [FIRST, LAST], None),
    ],
    ids=shown,
)
def test_pictures_that_the_prompt_never_cites_are_told(
    prompt: str, pictures: int, content: list[Any], uncited: str | None
) -> None:
    """A prompt that cites none gets @image1, so a lone picture is always cited; frames need no citation."""
    warnings = FUSION.warn_pictures(having(*content) | {"prompt": prompt}, pictures)
    assert [warning.path for warning in warnings] == ([("prompt",)] if uncited else [])
    assert all(f"never cites {uncited};" in warning.message for warning in warnings)


@pytest.mark.parametrize(
    ("pictures", "content", "is_told"), [(1, [], 0), (3, [], 1), (1, [FIRST], 0), (1, [FIRST, LAST], 1)]
)
def test_a_model_that_takes_one_picture_at_its_maker_says_so(pictures: int, content: list[Any], is_told: int) -> None:
    params = having(*content) | {"prompt": "@image1 @image2 @image3"}
    for card, told in ((HORSE, is_told), (FUSION, 0)):
        warnings = [warning.message for warning in card.warn_pictures(params, pictures)]
        assert ["takes 1 and no more" in warning for warning in warnings] == [True] * told


@pytest.mark.parametrize("content", [[FIRST], [FIRST, LAST], [LAST, FIRST]], ids=shown)
def test_a_first_frame_is_the_start_picture_of_a_template_that_asks_for_one(content: list[Any]) -> None:
    (step,) = start_from(having(*content)).steps
    assert [ref.url for ref in step.inputs] == [KITE]
    assert step.candidates[0].params == having(*content)
    assert start_from(having(*content), source_image_url=KITE).steps == (step,)


def test_a_start_picture_has_one_role_and_no_picture_is_called_missing_that_is_there() -> None:
    for content, more in (
        ([FIRST], {"source_image_url": "https://example.com/another.png"}),
        ([LAST], {"source_image_url": KITE}),
        ([FIRST, reference("https://example.com/b.png")], {}),
        ([LAST, reference("https://example.com/b.png")], {}),
    ):
        with pytest.raises(RequestError) as raised:
            start_from(having(*content), **more)
        (fault,) = raised.value.faults
        assert fault.path == ("input", "image_to_video_params", "metadata", "content")
        assert "exclude each other" in fault.message


def start_from(params: dict[str, Any], **input: Any) -> ChainPlan:
    asked = {"image_to_video_model": SILENT.id, "image_to_video_params": params} | input
    return planned("image-to-video", asked)


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


# ---- between providers ----------------------------------------------------------------------------------------------


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


# ---- bodies -------------------------------------------------------------------------------------------------------


def test_the_documented_body_to_the_letter() -> None:
    params = PROMPT | {"seconds": "5", "metadata": {"ratio": "16:9", "resolution": "720p"}}
    built = build_body(SILENT, request(SILENT, params), [KITE], "https://chains.example.net/hook")
    assert built == {
        "model": "seedance-1-5-pro-no-audio",
        "prompt": "@image1 the kite lifts off",
        "seconds": "5",
        "metadata": {
            "ratio": "16:9",
            "resolution": "720p",
            "callback_url": "https://chains.example.net/hook",
            "content": [{"type": "image_url", "image_url": {"url": KITE}, "role": "reference_image"}],
        },
    }


def test_the_chains_picture_comes_first() -> None:
    params = having(VIDEO, watermark=None) | {"prompt": "@image2 beside @image1"}
    built = build_body(FUSION, request(FUSION, params), ["https://a", "https://b"], None)
    assert built["prompt"] == "@image2 beside @image1"
    assert built["metadata"] == {"content": [reference("https://a"), reference("https://b"), VIDEO]}


def test_frames_are_sent_as_they_are_and_nothing_is_cited() -> None:
    assert build_body(SILENT, request(SILENT, having(FIRST, LAST)), [], None) == {
        "model": SILENT.raw_id,
        **having(FIRST, LAST),
    }
    for params in (PROMPT, having(), having(ratio=None)):
        assert build_body(SILENT, request(SILENT, params), [], None) == {"model": SILENT.raw_id, **PROMPT}


@pytest.mark.parametrize("content", [[FIRST], [FIRST, LAST], [VIDEO, LAST, FIRST]], ids=shown)
def test_the_steps_own_picture_is_sent_as_the_first_frame_that_it_was_named(content: list[Any]) -> None:
    built = build_body(SILENT, request(SILENT, having(*content)), ["https://ours"], None)
    assert built["prompt"] == PROMPT["prompt"]
    assert built["metadata"]["content"] == [
        item("image_url", "first_frame", "https://ours") if one is FIRST else one for one in content
    ]


# ---- answers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        {"task_id": "task_1", "status": "submitted"},
        {"id": "task_1", "object": "video", "status": "queued"},
        {"task_id": "task_1", "id": "another"},
        {"code": "success", "message": "", "data": {"task_id": "task_1", "id": 7, "status": "NOT_START"}},
    ],
    ids=shown,
)
def test_the_task_is_named_in_every_dialect(answer: dict[str, Any]) -> None:
    assert read_job(answer) == Job("task_1")


@pytest.mark.parametrize(
    "answer",
    [None, {}, {"task_id": 5}, {"status": "submitted"}, {"data": None}, {"data": {}}, {"error": {"message": "x"}}],
    ids=shown,
)
def test_an_answer_without_a_task_leaves_the_start_unknown(answer: dict[str, Any] | None) -> None:
    with pytest.raises(StartUnknown):
        read_job(answer)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"error": {"message": "why", "type": "authentication_error"}}, ("authentication_error", "why")),
        ({"error": {"message": "why", "type": "x", "code": "content_policy"}}, ("content_policy", "why")),
        ({"error": "why"}, ("", "why")),
        ({"code": "E1", "message": "why", "data": None}, ("E1", "why")),
        ({"task_id": "t", "status": "FAILURE", "fail_reason": "why"}, ("", "why")),
        ({"error": None}, ("", "")),
        ({}, ("", "")),
    ],
    ids=shown,
)
def test_an_error_is_read_in_each_of_its_shapes(body: dict[str, Any], told: tuple[str, str]) -> None:
    assert error_of(body) == told


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "seconds must be a string", InputRejected),
        (400, "blocked by content policy", Moderated),
        (401, "invalid token", BadCredentials),
        (402, "", CreditExhausted),
        (403, "insufficient_user_quota", CreditExhausted),
        (403, "用户额度不足", CreditExhausted),
        (403, "Your balance is too low.", CreditExhausted),
        (403, "This token has no access to model happyhorse-1.0-i2v", ModelUnavailable),
        (403, "insufficient permissions", BadCredentials),
        (404, "no such model", ModelUnavailable),
        (413, "", InputRejected),
        (415, "", InputRejected),
        (422, "", InputRejected),
    ],
)
def test_refusals(status: int, message: str, kind: type[StepError]) -> None:
    error = read_error(status, {"error": {"message": message}}, hide_nothing)
    assert type(error) is kind
    assert error.facts["status"] == status
    assert message in error.message


@pytest.mark.parametrize(
    ("message", "is_final"),
    [("insufficient quota", True), ("too many requests", False), ("the load balancer is busy", False)],
)
def test_only_an_empty_account_is_not_worth_waiting_for(message: str, is_final: bool) -> None:
    error = read_limit({"error": {"message": message}}, hide_nothing)
    assert (type(error) is CreditExhausted) is is_final


# ---- a task's state -----------------------------------------------------------------------------------------------


def state(status: object, **more: Any) -> JobState:
    return read_state({"task_id": "task_1", "status": status, **more}, hide_nothing)


@pytest.mark.parametrize(
    "word",
    ["submitted", "queued", "pending", "NOT_START", "SUBMITTED", "running", "in_progress", "IN_PROGRESS", "processing"],
)
def test_words_of_work_are_pending(word: str) -> None:
    assert state(word) == Pending(word.lower())


@pytest.mark.parametrize(
    "answer",
    [
        {"task_id": "t", "status": "succeeded", "url": "https://v?s=1", "format": "mp4", "metadata": {"ratio": "1:1"}},
        {"id": "t", "status": "completed", "metadata": {"url": "https://v?s=1"}},
        {"id": "t", "status": "completed", "video_url": "https://v?s=1"},
        {"id": "t", "status": "success", "content": {"video_url": "https://v?s=1"}},
        {"code": "success", "data": {"task_id": "t", "status": "SUCCESS", "result_url": "https://v?s=1"}},
        {"task_id": "t", "status": "succeeded", "url": "https://v?s=1", "metadata": {"url": "https://another"}},
        {"task_id": "t", "status": "succeeded", "url": "", "metadata": None, "result_url": "https://v?s=1"},
    ],
    ids=shown,
)
def test_the_clip_is_found_in_every_dialect(answer: dict[str, Any]) -> None:
    assert read_state(answer, hide_nothing) == Succeeded((Output("https://v?s=1"),))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": "failed", "error": {"code": "content_policy", "message": "refused"}}, Moderated),
        ({"status": "failed", "error": {"code": "x", "message": "InputImageSensitiveContentDetected"}}, Moderated),
        ({"status": "failed", "error": {"code": "upstream_error", "message": "oops"}}, JobFailed),
        ({"status": "failed", "error": "oops"}, JobFailed),
        ({"status": "error"}, JobFailed),
        ({"data": {"status": "FAILURE", "fail_reason": "oops"}}, JobFailed),
        ({"data": {"status": "FAILURE", "fail_reason": "DataInspectionFailed: no"}}, Moderated),
        ({"status": "expired"}, JobExpired),
    ],
    ids=shown,
)
def test_a_task_that_failed_is_free(answer: dict[str, Any], kind: type[StepError]) -> None:
    failed = read_state(answer, hide_nothing)
    assert isinstance(failed, Failed)
    assert type(failed.error) is kind
    assert failed.error.facts["cost"] == 0


def test_a_failure_tells_the_providers_reason_without_our_key() -> None:
    failed = read_state(
        {"status": "failed", "error": {"code": "E7", "message": "no picture for sk-canary-key at https://a/b?sig=1"}},
        Redactor("sk-canary-key"),
    )
    assert isinstance(failed, Failed)
    assert failed.error.message == "RelayDance's task failed: no picture for [redacted] at https://a/b"
    assert failed.error.facts == {"provider_code": "E7", "cost": 0}


@pytest.mark.parametrize("word", ["canceled", "CANCELLED"])
def test_a_canceled_task(word: str) -> None:
    assert state(word) == Canceled()


@pytest.mark.parametrize("status", ["reviewing", "done", None, ["running"], 5, ""])
def test_a_word_that_no_sheet_knows_is_looked_at_again_and_then_an_error(status: object) -> None:
    unsure = state(status)
    assert isinstance(unsure, Unsure)
    assert (unsure.seconds, unsure.reads) == (120, 10)
    assert isinstance(unsure.error, UnexpectedResponse)
    assert unsure.word in unsure.error.message


@pytest.mark.parametrize("url", [None, 5, "", "data:video/mp4;base64,AA=="])
def test_success_without_a_clip_is_read_five_times(url: object) -> None:
    unsure = state("succeeded", url=url)
    assert isinstance(unsure, Unsure)
    assert (unsure.word, unsure.reads) == ("succeeded without a video", 5)


# ---- being told ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "notice"),
    [
        ({"task_id": "a", "status": "succeeded", "url": "https://v"}, Notice("a", "succeeded", ended=True)),
        ({"task_id": "a", "status": "failed"}, Notice("a", "failed", ended=True)),
        ({"id": "a", "status": "in_progress"}, Notice("a", "in_progress", ended=False)),
        ({"code": "success", "data": {"task_id": "a", "status": "SUCCESS"}}, Notice("a", "SUCCESS", ended=True)),
        ({"task_id": "a", "status": "reviewing"}, Notice("a", "reviewing", ended=True)),
        ({"task_id": "a"}, Notice("a", None, ended=False)),
        ({"task_id": ["a"]}, Notice(None, None, ended=False)),
    ],
    ids=shown,
)
def test_notices_are_read_leniently(body: dict[str, Any], notice: Notice) -> None:
    assert read_notice(json.dumps(body).encode()) == notice


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_notice_that_is_no_json_object_is_the_senders_fault(body: bytes) -> None:
    with pytest.raises(RequestError) as raised:
        read_notice(body)
    assert raised.value.reason == "invalid_json"


# ---- over HTTP ----------------------------------------------------------------------------------------------------


def relaydance_at(url: str, http: httpx.AsyncClient, **env: str) -> Provider:
    where = {"RELAYDANCE_API_KEY": key_of("relaydance"), "RELAYDANCE_API_BASE_URL": f"{url}/relaydance"}
    return adapter(relaydance, url, http, **(where | env))


async def rows_of(sandbox: Control, operation: str) -> list[dict[str, Any]]:
    rows = (await sandbox.http.get(f"{sandbox.url}/_sandbox/jobs")).json()
    return [row for row in rows if row["operation"] == operation]


@pytest.fixture
def provider(sandbox: Control, http: httpx.AsyncClient) -> Provider:
    return relaydance_at(sandbox.url, http)


@each_model
async def test_every_model_makes_a_clip_from_a_picture(provider: Provider, sandbox: Control, card: ModelCard) -> None:
    done = await ended(provider, await start(provider, request(card, PROMPT | {"seconds": "5"}, PICTURE)))
    assert isinstance(done, Succeeded)
    (output,) = done.outputs
    assert done.cost is None
    clip = await sandbox.http.get(output.url)
    assert clip.headers["content-type"] == "video/mp4"
    assert await sandbox.paid_starts() == 1


async def test_bytes_are_uploaded_first_and_their_address_is_sent(provider: Provider, sandbox: Control) -> None:
    assert provider.accepts == (InputForm.URL, InputForm.UPLOAD)
    await start(provider, request(SILENT, PROMPT, PICTURE))
    (upload,) = await rows_of(sandbox, "upload")
    assert upload["body"] == {
        "file": {"filename": "picture.jpeg", "content_type": "image/jpeg", "bytes": len(PICTURE.data or b"")}
    }
    (row,) = await sandbox.submits()
    (sent,) = row["body"]["metadata"]["content"]
    assert (await sandbox.http.get(sent["image_url"]["url"])).content == PICTURE.data
    assert sent["role"] == "reference_image"
    assert await sandbox.paid_starts() == 1


async def test_a_public_address_is_used_without_an_upload(provider: Provider, sandbox: Control) -> None:
    await start(provider, request(SILENT, PROMPT | {"seconds": "5"}, ADDRESS))
    assert await rows_of(sandbox, "upload") == []
    (row,) = await sandbox.submits()
    assert row["body"] == {
        "model": SILENT.raw_id,
        "prompt": "@image1 the kite lifts off",
        "seconds": "5",
        "metadata": {"content": [reference(KITE)]},
    }


async def test_nine_pictures_pass_in_order_and_ten_are_refused(provider: Provider, sandbox: Control) -> None:
    addresses = [f"https://example.com/{number}.png" for number in range(10)]
    pictures = [InputFile(url=url) for url in addresses]
    await start(provider, request(FUSION, {"prompt": "@image9 turns into @image1"}, *pictures[:9]))
    (row,) = await sandbox.submits()
    assert [entry["image_url"]["url"] for entry in row["body"]["metadata"]["content"]] == addresses[:9]
    with pytest.raises(InputRejected, match="at most 9"):
        await provider.submit(request(FUSION, PROMPT, *pictures), "key", None)
    assert await sandbox.paid_starts() == 1


@pytest.mark.parametrize("params", [{"prompt": "@image2 flies"}, having(LAST)], ids=shown)
async def test_what_does_not_fit_the_pictures_is_refused_before_anything_is_sent(
    provider: Provider, sandbox: Control, params: dict[str, Any]
) -> None:
    with pytest.raises(InputRejected) as raised:
        await provider.submit(request(SILENT, params, PICTURE), "key", None)
    assert raised.value.reason == "invalid_provider_params"
    assert (await sandbox.http.get(f"{sandbox.url}/_sandbox/jobs")).json() == []


async def test_a_first_frame_of_bytes_is_uploaded_into_its_place(provider: Provider, sandbox: Control) -> None:
    await start(provider, request(SILENT, having(LAST, FIRST), PICTURE))
    (row,) = await sandbox.submits()
    last, first = row["body"]["metadata"]["content"]
    assert (last, first["role"], row["body"]["prompt"]) == (LAST, "first_frame", PROMPT["prompt"])
    assert (await sandbox.http.get(first["image_url"]["url"])).content == PICTURE.data


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_job_runs_from_start_to_end_in_every_dialect(
    provider: Provider, receiver: Receiver, dialect: str
) -> None:
    params = {"prompt": f"a kite [dialect={dialect}]"}
    job = await start(provider, request(SILENT, params, ADDRESS), callback_url=f"{receiver.url}/hook/token")
    assert job.id.startswith("task_")
    assert isinstance(await ended(provider, job), Succeeded)
    delivery = await receiver.next()
    notice = provider.notice(delivery.headers, delivery.body, NOW)
    assert (notice.job_id, notice.ended) == (job.id, True)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_refusal_by_the_filter_is_read_in_every_dialect(
    provider: Provider, sandbox: Control, dialect: str
) -> None:
    params = {"prompt": f"a [moderate] kite [dialect={dialect}]"}
    failed = await ended(provider, await start(provider, request(SILENT, params, ADDRESS)))
    assert isinstance(failed, Failed)
    assert type(failed.error) is Moderated
    (row,) = await sandbox.submits()
    assert row["charged"] == 0


async def test_a_forged_callback_changes_nothing(provider: Provider, sandbox: Control, receiver: Receiver) -> None:
    await sandbox.put_faults({"kind": "forge"}, {"kind": "never_ends"})
    job = await start(provider, request(SILENT, PROMPT), callback_url=f"{receiver.url}/hook")
    delivery = await receiver.next()
    assert provider.notice(delivery.headers, delivery.body, NOW) == Notice(job.id, "failed", ended=True)
    assert isinstance(await provider.status(job), Pending)


async def test_a_lost_task_names_itself_in_its_callback(
    provider: Provider, sandbox: Control, receiver: Receiver
) -> None:
    await sandbox.put_faults({"kind": "reset", "when": "after"})
    with pytest.raises(StartUnknown):
        await provider.submit(request(SILENT, PROMPT), "key", f"{receiver.url}/hook")
    delivery = await receiver.next()
    notice = provider.notice(delivery.headers, delivery.body, NOW)
    (row,) = await sandbox.submits()
    assert notice.job_id == row["job_id"]
    assert isinstance(await ended(provider, Job(row["job_id"])), Succeeded)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset"},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503},
        {"kind": "truncated"},
        {"kind": "truncated", "declared": "whole"},
        {"kind": "garbage"},
        {"kind": "html"},
        {"kind": "wrong_type"},
        {"kind": "error_in_200"},
        {"kind": "no_job_id"},
        {"kind": "redirect", "location": "https://example.com/"},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
async def test_a_lost_answer_leaves_the_start_unknown(
    provider: Provider, sandbox: Control, fault: dict[str, Any]
) -> None:
    await sandbox.put_faults(fault | {"when": "after"})
    with pytest.raises(StartUnknown):
        await provider.submit(request(SILENT, PROMPT), "key", None)
    assert await sandbox.paid_starts() == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 500}, "provider_unavailable"),
        ({"kind": "status", "status": 503}, "provider_unavailable"),
        ({"kind": "status", "status": 429, "headers": {"Retry-After": "7"}}, "provider_rate_limited"),
        ({"kind": "reset"}, "provider_network_error"),
        ({"kind": "truncated", "declared": "whole", "when": "after"}, "provider_network_error"),
        ({"kind": "garbage"}, "provider_unexpected_response"),
        ({"kind": "html"}, "provider_unexpected_response"),
        ({"kind": "error_in_200"}, "provider_unexpected_response"),
        ({"kind": "wrong_type", "when": "after"}, "provider_unexpected_response"),
        ({"kind": "no_job_id", "when": "after"}, "provider_unexpected_response"),
        ({"kind": "redirect", "location": "https://example.com/"}, "provider_unavailable"),
    ],
    ids=shown,
)
async def test_a_failed_upload_starts_nothing_and_is_tried_again(
    provider: Provider, sandbox: Control, fault: dict[str, Any], code: str
) -> None:
    await sandbox.put_faults(fault | {"operation": "upload"})
    with pytest.raises(Refused) as raised:
        await provider.submit(request(SILENT, PROMPT, PICTURE), "key", None)
    assert raised.value.reason == code
    assert raised.value.retry_after == (7 if code == "provider_rate_limited" else None)
    assert await sandbox.submits() == []
    await start(provider, request(SILENT, PROMPT, PICTURE))
    assert await sandbox.paid_starts() == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "status", "status": 413}, InputRejected),
        ({"kind": "status", "status": 415}, InputRejected),
        ({"kind": "status", "status": 401}, BadCredentials),
        ({"kind": "echo_key"}, InputRejected),
    ],
    ids=shown,
)
async def test_an_upload_that_will_never_do_is_not_repeated(
    provider: Provider, sandbox: Control, fault: dict[str, Any], kind: type[StepError]
) -> None:
    await sandbox.put_faults(fault | {"operation": "upload"})
    with pytest.raises(kind) as raised:
        await provider.submit(request(SILENT, PROMPT, PICTURE), "key", None)
    assert type(raised.value) is kind
    assert "canary" not in raised.value.message
    assert await sandbox.submits() == []


async def test_only_the_submit_passes_the_fence(provider: Provider, sandbox: Control) -> None:
    """An attempt that has been given up may still upload; it must not pay."""

    async def given_up() -> None:
        raise Refused("given up")

    with fenced(given_up), pytest.raises(Refused, match="given up"):
        await provider.submit(request(SILENT, PROMPT, PICTURE), "key", None)
    assert len(await rows_of(sandbox, "upload")) == 1
    assert await sandbox.submits() == []


async def test_no_room_is_refused_with_the_time_to_wait(provider: Provider, sandbox: Control) -> None:
    await sandbox.put_faults({"kind": "status", "status": 429, "headers": {"Retry-After": "7"}})
    with pytest.raises(Refused) as raised:
        await provider.submit(request(SILENT, PROMPT), "key", None)
    assert (raised.value.reason, raised.value.retry_after) == ("provider_rate_limited", 7)
    await sandbox.put_faults({"kind": "status", "status": 429, "body": "user quota is not enough"})
    with pytest.raises(CreditExhausted, match="quota is not enough"):
        await provider.submit(request(SILENT, PROMPT), "key", None)


async def test_what_relaydance_itself_refuses(sandbox: Control, http: httpx.AsyncClient, provider: Provider) -> None:
    with pytest.raises(InputRejected, match="resolution"):
        await provider.submit(request(FUSION, having(resolution="720p")), "key", None)
    with pytest.raises(InputRejected, match="needs an image"):
        await provider.submit(request(HORSE, PROMPT), "key", None)
    await sandbox.put_faults({"kind": "no_credit"})
    with pytest.raises(CreditExhausted, match="balance"):
        await provider.submit(request(SILENT, PROMPT), "key", None)
    await sandbox.put_faults({"kind": "status", "status": 404, "body": {"error": {"message": "no such model"}}})
    with pytest.raises(ModelUnavailable, match="no such model"):
        await provider.submit(request(SILENT, PROMPT), "key", None)
    stranger = relaydance_at(sandbox.url, http, RELAYDANCE_API_KEY="wrong-key-123")
    with pytest.raises(BadCredentials):
        await stranger.submit(request(SILENT, PROMPT), "key", None)
    assert await sandbox.paid_starts() == 0


async def test_a_model_that_this_worker_lacks_is_no_error_of_relaydance(provider: Provider) -> None:
    with pytest.raises(ModelUnavailable, match="happyhorse-2"):
        await provider.submit(JobRequest("happyhorse-2", PROMPT, (), "token"), "key", None)


async def test_a_key_that_relaydance_echoes_is_in_no_error(provider: Provider, sandbox: Control) -> None:
    await sandbox.put_faults({"kind": "echo_key"})
    with pytest.raises(InputRejected) as raised:
        await provider.submit(request(SILENT, PROMPT), "key", None)
    assert "[redacted]" in raised.value.message
    assert key_of("relaydance") not in raised.value.message


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "moderated"}, Moderated),
        ({"kind": "failed"}, JobFailed),
        ({"kind": "failed", "word": "error"}, JobFailed),
        ({"kind": "failed", "word": "expired"}, JobExpired),
    ],
    ids=shown,
)
async def test_how_a_task_failed(
    provider: Provider, sandbox: Control, fault: dict[str, Any], kind: type[StepError]
) -> None:
    await sandbox.put_faults(fault)
    failed = await ended(provider, await start(provider, request(SILENT, PROMPT)))
    assert isinstance(failed, Failed)
    assert type(failed.error) is kind


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 429, "headers": {"Retry-After": "3"}}, "provider_rate_limited"),
        ({"kind": "status", "status": 500}, "provider_unavailable"),
        ({"kind": "status", "status": 401}, "provider_unauthorized"),
        ({"kind": "reset"}, "provider_network_error"),
        ({"kind": "truncated"}, "provider_unexpected_response"),
    ],
    ids=shown,
)
async def test_a_bad_read_never_loses_a_paid_task(
    provider: Provider, sandbox: Control, fault: dict[str, Any], code: str
) -> None:
    job = await start(provider, request(SILENT, PROMPT))
    await sandbox.put_faults(fault | {"operation": "status"})
    with pytest.raises(Refused) as raised:
        await provider.status(job)
    assert raised.value.reason == code
    assert isinstance(await ended(provider, job), Succeeded)


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"kind": "unknown_status", "word": "reviewing"}, "reviewing"),
        ({"kind": "gone_after_success"}, "not found"),
        ({"kind": "status", "status": 418}, "HTTP 418"),
        ({"kind": "wrong_type"}, "no status"),
        ({"kind": "error_in_200"}, "no status"),
        ({"kind": "redirect", "location": "https://example.com/"}, "HTTP 307"),
    ],
    ids=shown,
)
async def test_a_strange_read_is_unsure_and_may_mend(
    provider: Provider, sandbox: Control, fault: dict[str, Any], word: str
) -> None:
    job = await start(provider, request(SILENT, PROMPT))
    await sandbox.put_faults(fault | {"operation": "status"})
    unsure = await provider.status(job)
    assert isinstance(unsure, Unsure)
    assert unsure.word == word
    assert isinstance(await ended(provider, job), Succeeded)


async def test_a_task_that_is_not_seen_yet_is_looked_for_thrice(http: httpx.AsyncClient) -> None:
    async with running_sandbox(replace(QUICK, relaydance_lag_seconds=600)) as url:
        provider = relaydance_at(url, http)
        unsure = await provider.status(await start(provider, request(SILENT, PROMPT)))
    assert isinstance(unsure, Unsure)
    assert (unsure.word, unsure.reads) == ("not found", 3)
    assert (type(unsure.error), unsure.error.reason) == (JobExpired, "provider_task_not_found")


async def test_a_dead_link_is_followed_by_a_fresh_one(http: httpx.AsyncClient) -> None:
    async with running_sandbox(replace(QUICK, relaydance_result_seconds=0)) as url:
        provider = relaydance_at(url, http)
        job = await start(provider, request(SILENT, PROMPT))
        first, second = await ended(provider, job), await provider.status(job)
    assert isinstance(first, Succeeded)
    assert isinstance(second, Succeeded)
    assert first.outputs != second.outputs


async def test_there_is_nothing_to_cancel_or_find(provider: Provider, sandbox: Control) -> None:
    job = await start(provider, request(SILENT, PROMPT))
    assert await provider.cancel(job) is CancelOutcome.NOT_STOPPED
    lost = JobRequest(SILENT.raw_id, {}, (), "token")
    assert await provider.find(lost, Window(NOW, NOW + timedelta(seconds=5))) is None


@pytest.mark.parametrize(
    ("base", "asked"),
    [
        ({}, "https://relaydance.com/v1"),
        ({"RELAYDANCE_API_BASE_URL": "https://relaydance.com"}, "https://relaydance.com/v1"),
        ({"RELAYDANCE_API_BASE_URL": "https://relaydance.com/v1/"}, "https://relaydance.com/v1"),
    ],
    ids=shown,
)
async def test_the_base_url_is_taken_with_and_without_its_path(base: dict[str, str], asked: str) -> None:
    calls: list[str] = []

    async def answer(call: httpx.Request) -> httpx.Response:
        calls.append(f"{call.method} {call.url} {call.headers['authorization']}")
        return httpx.Response(200, json={"task_id": "a/b", "status": "submitted", "url": "https://cdn.example/u.png"})

    async with mocked(answer) as http:
        made = relaydance.create({"RELAYDANCE_API_KEY": "sk-123456"} | base, http)
        assert made is not None
        accepted = await made.submit(request(SILENT, PROMPT, PICTURE), "key", None)
        assert isinstance(accepted, Accepted)
        await made.status(accepted.job)
    assert calls == [
        f"POST {asked}/files Bearer sk-123456",
        f"POST {asked}/video/generations Bearer sk-123456",
        f"GET {asked}/video/generations/a%2Fb Bearer sk-123456",
    ]


def mocked(answer: Callable[[httpx.Request], Any]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(answer))

"""RelayDance's pictures: their roles, their citations in the prompt, and the body that holds them."""

from typing import Any

import pytest

from domain.errors import RequestError
from domain.plan import ChainPlan
from providers.relaydance.citations import check_pictures, with_citation
from providers.relaydance.references import reference
from providers.relaydance.wire import build_body
from tests.contract.adapters import request, shown
from tests.contract.cards import faults_of, plan
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
    having,
    item,
)
from tests.support.orders import order
from tests.unit.domain.test_planning import plan as planned


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

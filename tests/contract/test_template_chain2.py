"""chain2 is what its callers know."""

from workflows.templates.chain2 import TEMPLATE


def test_chain2_keeps_the_contracts_steps_version_and_title() -> None:
    assert (TEMPLATE.slug, TEMPLATE.version) == ("chain2", "2026-05-23")
    assert TEMPLATE.title == "image-to-image → image-to-video"
    assert [step.key for step in TEMPLATE.steps] == ["image_to_image", "image_to_video"]
    assert [step.takes for step in TEMPLATE.steps] == [(), ("image_to_image",)]
    assert TEMPLATE.steps[0].starts_from_picture is True


def test_chain2_has_the_contracts_default_models() -> None:
    defaults = {str(step.kind): step.default_model for step in TEMPLATE.steps}
    assert defaults == {"image": "bytedance/seedream-4.5", "video": "bytedance/seedance-1.5-pro"}

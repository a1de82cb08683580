"""image-to-video shows how little a template is: one step, from a caller's picture."""

from workflows.templates.image_to_video import TEMPLATE


def test_image_to_video_is_one_step_that_starts_from_a_picture() -> None:
    [step] = TEMPLATE.steps
    assert (TEMPLATE.slug, step.key, step.takes) == ("image-to-video", "image_to_video", ())
    assert step.starts_from_picture

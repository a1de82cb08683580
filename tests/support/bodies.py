"""Create requests: the two of the contract to the letter, and short ones for tests of something else."""

from typing import Any

Json = dict[str, Any]

FIRST_EXAMPLE: Json = {
    "input": {
        "chain_models": {
            "text_to_image_model": "bfl/flux-2-flex",
            "image_to_video_model": "bytedance/seedance-1.5-pro",
        },
        "text_to_image_params": {
            "prompt": "a paper boat on a copper sea",
            "width": 1024,
            "height": 1024,
            "seed": 7,
            "output_format": "jpeg",
        },
        "image_to_video_params": {
            "content": [{"type": "text", "text": "waves roll, camera drifts left"}],
            "ratio": "1:1",
            "duration": 4,
            "watermark": False,
        },
    },
    "metadata": {"order": "7781"},
}
"""The contract's own request, without the callback address."""

SEED_EXAMPLE: Json = {
    "input": {
        "chain_models": {
            "text_to_image_model": "bfl/flux-2-flex",
            "image_to_video_model": "bytedance/seedance-1.5-pro",
        },
        "text_to_image_params": {
            "prompt": "a blue sky over the sea",
            "width": 1024,
            "height": 1024,
            "prompt_upsampling": False,
            "seed": 42,
            "safety_tolerance": 5,
            "output_format": "jpeg",
        },
        "image_to_video_params": {
            "content": [{"type": "text", "text": "clouds drift slowly"}],
            "ratio": "1:1",
            "duration": 3,
            "watermark": False,
        },
    }
}
"""The form of the product's landing page: `duration: 3` lies outside what the model documents."""

FLUX = "bfl/flux-2-pro"
SEEDANCE = "bytedance/seedance-1.5-pro"


def drawn(prompt: str, **more: Any) -> Json:
    """A chain1 request; `more` stands beside `input`."""
    return {
        "input": {
            "chain_models": {"text_to_image_model": FLUX, "image_to_video_model": SEEDANCE},
            "text_to_image_params": {"prompt": prompt},
            "image_to_video_params": {"content": [{"type": "text", "text": f"{prompt} moves"}], "duration": 4},
        }
    } | more


def restyled(prompt: str, **input: Any) -> Json:
    """A chain2 request; `input` says how the start picture is named."""
    given: Json = {"chain_models": {"image_to_image_model": FLUX, "image_to_video_model": SEEDANCE}}
    params = {"prompt": prompt} | input.pop("image_to_image_params", {})
    given |= {"image_to_image_params": params, "image_to_video_prompt": f"{prompt} moves"}
    return {"input": given | input}

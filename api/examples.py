"""What routes say for OpenAPI: the contract's own example, and which statuses they answer."""

from typing import Any

Json = dict[str, Any]

CREATE_EXAMPLE: Json = {
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
    "webhook_url": "https://shop.example.com/hooks/babychain",
}

CREATE_BODY: Json = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {}, "example": CREATE_EXAMPLE}}}
}
"""Its schema is that of the deployment's chains and models, which are known once the app has started."""

UPLOAD_BODY: Json = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
                }
            }
        },
    }
}

ERROR: Json = {"$ref": "#/components/schemas/Error"}

_DESCRIPTIONS = {
    200: "The run.",
    202: "The run, new or the earlier one of the same Idempotency-Key.",
    400: "The request is wrong; `errors` names every fault with its path.",
    401: "The key is missing or unknown.",
    403: "The link has expired, or is not one of ours.",
    404: "It does not exist, or it is not yours.",
    409: "It contradicts what is there: `code` says what, and what to do.",
    413: "The body is too large.",
    429: "Too much at once; Retry-After says when to come again.",
    416: "The range is not within the file.",
    503: "The workflow server does not answer; repeat with the same Idempotency-Key.",
}


LIST: dict[int | str, Json] = {200: {"description": "One page of runs."}}

EVENTS: dict[int | str, Json] = {204: {"description": "You have seen the end: nothing follows."}}


def responses(*statuses: int) -> dict[int | str, Json]:
    return {status: _response(status) for status in statuses}


def other_errors() -> dict[int | str, Json]:
    """Every error has the one body; it also takes the place of FastAPI's own 422, which we never send."""
    return {"default": {"description": "Any other error.", "content": {"application/json": {"schema": ERROR}}}}


def _response(status: int) -> Json:
    shown: Json = {"description": _DESCRIPTIONS[status]}
    schema = {"type": "object"} if status < 300 else ERROR
    shown["content"] = {"application/json": {"schema": schema}}
    return shown

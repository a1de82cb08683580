"""Where a step's prompt stands in an input: in BabyChain's own word, or where the model's own parameters have it."""

from typing import Any

Json = dict[str, Any]


def put_prompt(asked: Json, step: str, text: str) -> None:
    """Where there is one already: of several, the API takes the parameters' own."""
    params = asked.get(f"{step}_params")
    if isinstance(params, dict) and "prompt" in params:
        params["prompt"] = text
    elif (item := _text_item(params)) is not None:
        item["text"] = text
    elif isinstance(params, dict) and "generation_prompt" in params:
        params["generation_prompt"] = text
    else:
        asked[f"{step}_prompt"] = text


def _text_item(params: Any) -> Json | None:
    content = params.get("content") if isinstance(params, dict) else None
    items = content if isinstance(content, list) else []
    return next((item for item in items if isinstance(item, dict) and item.get("type") == "text"), None)

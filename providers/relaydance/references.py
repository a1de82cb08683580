"""RelayDance's pictures: how references and frames stand in `metadata.content`, and those that a caller names."""

from typing import Any

from domain.provider import Further, Params

REFERENCE, REFERENCE_VIDEO, REFERENCE_AUDIO = "reference_image", "reference_video", "reference_audio"
FIRST_FRAME, LAST_FRAME = "first_frame", "last_frame"
MOST_PICTURES = 9


def content_of(params: Params) -> list[Any]:
    metadata = params.get("metadata")
    content = metadata.get("content") if isinstance(metadata, dict) else None
    return content if isinstance(content, list) else []


def reference(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}, "role": REFERENCE}


def read_pictures(params: Params) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The references, or the first frame, of a step that nothing feeds.

    The frame is handed on like any other start picture, and its item stays in `content` to keep its role for it.
    """
    found, rest = read_references(params)
    return found or tuple(url for item in content_of(params) if (url := _url_of(item, FIRST_FRAME)) is not None), rest


def read_references(params: Params) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The caller's reference pictures, taken out of `content` in their order, which is how prompts count them.

    Where frames stand beside them, or one comes twice, all stay: the card's `check` has something to say about it.
    """
    content = content_of(params)
    urls = [_url_of(item, REFERENCE) for item in content]
    found = tuple(url for url in urls if url is not None)
    pictures = [item for item in content if isinstance(item, dict) and item.get("type") == "image_url"]
    if not found or len(set(found)) < len(pictures):
        return found, dict(params)
    rest = [item for item, url in zip(content, urls, strict=True) if url is None]
    return found, {**params, "metadata": {**params["metadata"], "content": rest}}


def _url_of(item: object, role: str) -> str | None:
    if isinstance(item, dict):
        said = {name: value for name, value in item.items() if value is not None}
        match said:
            case {"image_url": {"url": str(url)}} if said == reference(url) | {"role": role}:
                return url
    return None


def is_reference_place(path: tuple[str | int, ...], params: Params) -> bool:
    match path:
        case ("metadata", "content", int(index), "image_url") if index < len(content := content_of(params)):
            return _url_of(content[index], REFERENCE) is not None
        case ("metadata", "content", int(index), "video_url") if index < len(content := content_of(params)):
            return isinstance(item := content[index], dict) and item.get("role") == REFERENCE_VIDEO
    return False


FURTHER = Further(most=MOST_PICTURES - 1, read=read_references, is_place=is_reference_place)

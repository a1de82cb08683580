"""RelayDance's reference pictures: how they stand in `metadata.content`, and those that a caller names himself."""

from typing import Any

from domain.provider import Further, Params

REFERENCE = "reference_image"
MOST_PICTURES = 9


def content_of(params: Params) -> list[Any]:
    metadata = params.get("metadata")
    content = metadata.get("content") if isinstance(metadata, dict) else None
    return content if isinstance(content, list) else []


def reference(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}, "role": REFERENCE}


def read_references(params: Params) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The caller's reference pictures, taken out of `content` in their order, which is how prompts count them.

    Where frames stand beside them, or one comes twice, all stay: the card's `check` has something to say about it.
    """
    content = content_of(params)
    urls = [_reference_of(item) for item in content]
    found = tuple(url for url in urls if url is not None)
    pictures = [item for item in content if isinstance(item, dict) and item.get("type") == "image_url"]
    if not found or len(set(found)) < len(pictures):
        return (), dict(params)
    rest = [item for item, url in zip(content, urls, strict=True) if url is None]
    return found, {**params, "metadata": {**params["metadata"], "content": rest}}


def _reference_of(item: object) -> str | None:
    if isinstance(item, dict):
        said = {name: value for name, value in item.items() if value is not None}
        match said:
            case {"image_url": {"url": str(url)}} if said == reference(url):
                return url
    return None


def is_reference_place(path: tuple[str | int, ...], params: Params) -> bool:
    match path:
        case ("metadata", "content", int(index), "image_url") if index < len(content := content_of(params)):
            return _reference_of(content[index]) is not None
    return False


FURTHER = Further(most=MOST_PICTURES - 1, read=read_references, is_place=is_reference_place)

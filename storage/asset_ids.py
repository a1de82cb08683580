"""The names assets have, and the only way a name from outside becomes a place in the store."""

import re

EXTENSIONS = ("jpg", "png", "webp", "gif", "bmp", "tiff", "mp4", "mov", "webm")

_ID = re.compile(rf"[0-9a-f]{{64}}\.(?:{'|'.join(EXTENSIONS)})")


def is_asset_id(text: str) -> bool:
    """`<sha256>.<extension>`, nothing else: no separator, no dot-dot, no other spelling of the same thing."""
    return _ID.fullmatch(text) is not None


def extension_of(asset_id: str) -> str:
    return asset_id.partition(".")[2]


def hash_of(asset_id: str) -> str:
    return asset_id.partition(".")[0]

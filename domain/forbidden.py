"""Field names that a caller may not send: credentials, and fields that belong to the chain."""

import re
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]

_CREDENTIALS = frozenset(
    [
        "apikey",
        "authorization",
        "authtoken",
        "accesstoken",
        "bearertoken",
        "dashscopeapikey",
        "secret",
        "secretkey",
        "accesskeyid",
        "accesskeysecret",
        "token",
        "xapikey",
        "xkey",
        "password",
        "passwd",
        "passphrase",
        "clientsecret",
        "refreshtoken",
        "sessiontoken",
        "idtoken",
        "privatekey",
        "credentials",
        "credential",
        "apisecret",
        "apitoken",
        "bearer",
        "cookie",
        "setcookie",
        "webhooksecret",
    ]
)
_CREDENTIAL_ENDINGS = ("apikey", "secretkey", "accesskeysecret", "clientsecret", "password", "privatekey")
_CREDENTIAL_STARTS = ("xbabychainprovider",)

_PROVIDER_CONTROLLED = frozenset({"model", "callbackurl", "generationmodel", "generationcallbackurl"})

_PREWIRED = frozenset(
    {
        "generation_input_file", "generation_input_file_last_content", "image", "images", "image_url", "img_url",
        "image_prompt",
        "input_image", "input_images", "input_image_blob_path", "media", "character", "promptImage",
        "referenceImages", "fileData", "inlineData", "video_url", "videoUri", "contents", "instances",
    }
)  # fmt: skip
_NUMBERED_INPUT = re.compile(r"input_image_\d+")


def normalise(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def is_credential(name: str) -> bool:
    plain = normalise(name)
    return plain in _CREDENTIALS or plain.endswith(_CREDENTIAL_ENDINGS) or plain.startswith(_CREDENTIAL_STARTS)


def is_provider_controlled(name: str) -> bool:
    return normalise(name) in _PROVIDER_CONTROLLED


def is_prewired(name: str) -> bool:
    """A field through which a caller would wire the picture that the chain itself hands on."""
    return name in _PREWIRED or _NUMBERED_INPUT.fullmatch(name) is not None


def named_fields(value: Any, path: Path = ()) -> Iterator[tuple[Path, str, Any]]:
    """Every field at any depth: its path, its name, its value."""
    todo: list[tuple[Path, Any]] = [(path, value)]
    while todo:
        here, node = todo.pop()
        if isinstance(node, dict):
            for key, child in node.items():
                yield (*here, key), key, child
                todo.append(((*here, key), child))
        elif isinstance(node, list):
            todo.extend(((*here, index), child) for index, child in enumerate(node))

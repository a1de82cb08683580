"""What a caller may not send: credentials, by name and by shape, and fields that belong to the chain."""

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
        "pwd",
        "jwt",
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
_CREDENTIAL_ENDINGS = (
    "apikey", "secretkey", "accesskey", "accesskeyid", "accesskeysecret", "clientsecret", "apisecret", "webhooksecret",
    "password", "passwd", "privatekey", "authorization", "authtoken", "accesstoken", "refreshtoken", "bearertoken",
    "sessiontoken", "apitoken",
)  # fmt: skip
_CREDENTIAL_STARTS = ("xbabychainprovider",)

# Formats that nothing else has. A key pasted into the middle of a prompt is given away as well.
_KEY = re.compile(
    r"""(?<![A-Za-z0-9_-])(?:
      (?=\S*[0-9])sk-[A-Za-z0-9_-]{20,}
    | (?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}
    | (?:AKIA|ASIA|LTAI)[A-Za-z0-9]{12,}
    | AIza[A-Za-z0-9_-]{35}
    | gh[pousr]_[A-Za-z0-9]{36,} | github_pat_[A-Za-z0-9_]{22,}
    | (?:hf|r8)_[A-Za-z0-9]{30,}
    | xox[abeprs]-[A-Za-z0-9-]{10,}
    | (?:whsec|bchn)_[A-Za-z0-9+/=_-]{16,}
    | eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----
    )""",
    re.VERBOSE,
)
# The whole text is a header's value, and the token has a digit: "Bearer of good news" is a prompt.
_HEADER = re.compile(
    r"(?:authorization:\s*)?(?:bearer|basic|token|key)\s+(?=\S*[0-9])[A-Za-z0-9._~+/=-]{16,}", re.IGNORECASE
)
_ADDRESS = re.compile(r"(?:https?|data|asset):", re.IGNORECASE)

_PROVIDER_CONTROLLED = frozenset({"model", "callbackurl", "generationmodel", "generationcallbackurl"})

PREWIRED = frozenset(
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


def looks_like_a_key(value: Any) -> bool:
    """A text, or one in a list, with the shape of a key. Signed addresses hold such things by right."""
    if isinstance(value, list):
        return any(looks_like_a_key(item) for item in value)
    if not isinstance(value, str) or _ADDRESS.match(value.strip()):
        return False
    return bool(_KEY.search(value) or _HEADER.fullmatch(value.strip()))


def is_provider_controlled(name: str) -> bool:
    return normalise(name) in _PROVIDER_CONTROLLED


def is_prewired(name: str) -> bool:
    """A field through which a caller would wire the picture that the chain itself hands on."""
    return name in PREWIRED or _NUMBERED_INPUT.fullmatch(name) is not None


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

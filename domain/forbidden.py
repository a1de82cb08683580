"""What a caller may not send: credentials, by name and by shape, and fields that belong to the chain."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]

# Names are compared as `_bare` leaves them: without case, separators, digits and the s of a plural.
_CREDENTIALS = frozenset({"xkey", "bearer", "cookie", "setcookie", "sessioncookie", "secretid", "passcode"})
_CREDENTIAL_ENDINGS = (
    "secret", "token", "authorization", "credential", "passwd", "pwd", "jwt", "accesskey", "accesskeyid", "signingkey",
    "encryptionkey", "masterkey", "sharedkey", "authkey", "sshkey", "subscriptionkey",
)  # fmt: skip
_CREDENTIAL_PARTS = (
    "apikey", "privatekey", "secretkey", "clientsecret", "accesstoken", "refreshtoken", "authtoken", "bearertoken",
    "sessiontoken", "password", "passphrase",
)  # fmt: skip
_CREDENTIAL_STARTS = ("xbabychainprovider",)
# How much text a model may read or write, which is a number.
_TOKEN_COUNTS = re.compile(r"(?:max|min|new|input|output|prompt|completion|total|cached|reasoning|used)+tokens?")

# Formats that nothing else has. A key pasted into the middle of a prompt is given away as well. Whatever looks ahead
# does so after its first letters and not far: otherwise a long text takes the square of its length.
_DIGIT = r"(?=[A-Za-z0-9._~+/=-]{0,400}[0-9])"
_KEY = re.compile(
    rf"""(?<![A-Za-z0-9_-])(?:
      sk-{_DIGIT}[A-Za-z0-9_-]{{20,}}
    | (?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{{16,}}
    | (?:AKIA|ASIA|LTAI)[A-Za-z0-9]{{12,}}
    | AIza[A-Za-z0-9_-]{{35}}
    | ya29\.[A-Za-z0-9_-]{{16,}}
    | gh[pousr]_[A-Za-z0-9]{{36,}} | github_pat_[A-Za-z0-9_]{{22,}}
    | glpat-{_DIGIT}[A-Za-z0-9_.-]{{16,}}
    | npm_[A-Za-z0-9]{{30,}} | pypi-{_DIGIT}[A-Za-z0-9_-]{{24,}}
    | (?:hf|r8)_[A-Za-z0-9]{{30,}}
    | xox[abeprs]-[A-Za-z0-9-]{{10,}}
    | SG\.[A-Za-z0-9_-]{{10,}}\.[A-Za-z0-9_-]{{10,}}
    | (?:whsec|bchn)_[A-Za-z0-9+/=_-]{{16,}}
    | eyJ[A-Za-z0-9_-]{{10,}}\.eyJ[A-Za-z0-9_-]{{10,}}\.[A-Za-z0-9_-]{{10,}}
    | -----BEGIN\ [A-Z ]{{0,40}}PRIVATE\ KEY-----
    )""",
    re.VERBOSE,
)
# The token has a digit: "Bearer of good news" is a prompt.
_TOKEN = rf"{_DIGIT}[A-Za-z0-9._~+/=-]{{16,}}"
_SCHEME = r"(?:bearer|basic|token|key)\s{1,9}"
# A header's value may be the whole text. Inside another text its name has to stand before it.
_VALUE = re.compile(_SCHEME + _TOKEN, re.IGNORECASE)
_HEADER = re.compile(
    rf"""(?:authorization|api[-_]?key|(?<![a-z])x-key|auth-token)["']?\s{{0,9}}[:=]\s{{0,9}}["']?(?:{_SCHEME})?{_TOKEN}""",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"data:|(?:https?|asset):\S*\Z", re.IGNORECASE)
_REMEDY = "provider keys live on the server, remove it"

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
    plain = _bare(name)
    return (
        plain in _CREDENTIALS
        or plain.startswith(_CREDENTIAL_STARTS)
        or any(part in plain for part in _CREDENTIAL_PARTS)
        or (plain.endswith(_CREDENTIAL_ENDINGS) and _TOKEN_COUNTS.fullmatch(plain) is None)
    )


def _bare(name: str) -> str:
    """`X-API-Keys`, `apiKey2` and `ａｐｉ＿ｋｅｙ` are one name."""
    letters = re.sub(r"[^a-z]", "", unicodedata.normalize("NFKC", name).lower())
    return letters.removesuffix("s")


def looks_like_a_key(value: Any) -> bool:
    """A text, or one in a list, with the shape of a key. Signed addresses hold such things by right."""
    if isinstance(value, list):
        return any(looks_like_a_key(item) for item in value)
    if not isinstance(value, str) or _ADDRESS.match(value.strip()):
        return False
    return bool(_KEY.search(value) or _HEADER.search(value) or _VALUE.fullmatch(value.strip()))


def given_away(value: Any) -> Iterator[tuple[Path, str]]:
    """Where a credential stands, by its field's name or by its shape, and what to do about it."""
    for path, name, child in named_fields(value):
        if looks_like_a_key(name):
            yield path, f"is named by what looks like a key or token; {_REMEDY}"
        elif is_credential(name):
            yield path, f"looks like a credential; {_REMEDY}"
        elif looks_like_a_key(child):
            yield path, f"holds what looks like a key or token; {_REMEDY}"


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

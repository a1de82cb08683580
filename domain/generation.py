"""BabyChain's own `generation_*` words and shortcuts, read into a request that no provider's words colour."""

from collections.abc import Mapping
from typing import Any

from domain.chains import Step
from domain.findings import Findings, Path
from domain.forbidden import is_credential, is_provider_controlled
from domain.media import MediaKind, MediaRequest

ROOT_SHORTCUTS = {
    MediaKind.IMAGE: {"image_ratio": "generation_ratio"},
    MediaKind.VIDEO: {
        "video_ratio": "generation_ratio",
        "video_duration": "generation_duration",
        "video_resolution": "generation_resolution",
    },
}


def split_generation(
    step: Step, input: Mapping[str, Any], raw: Mapping[str, Any], found: Findings
) -> tuple[MediaRequest, dict[str, Any]]:
    """BabyChain's own `generation_*` words, and the native parameters. Native ones win where both are given."""
    shortcuts = ROOT_SHORTCUTS[step.kind] | {f"{step.key}_prompt": "generation_prompt"}
    words: dict[str, Word] = {
        long: ((short,), input[short]) for short, long in shortcuts.items() if input.get(short) is not None
    }
    native: dict[str, Any] = {}
    for name, value in raw.items():
        if value is None or is_credential(name) or is_provider_controlled(name):
            continue
        if name.startswith("generation_"):
            words[name] = ((f"{step.key}_params", name), value)
        else:
            native[name] = value
    return _neutral(step, words, native, found), native


def own_words(step: Step, input: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    """For a model that speaks these words itself: they reach it as the caller wrote them. A step's own ones win."""
    shortcuts = ROOT_SHORTCUTS[step.kind] | {
        f"{step.key}_prompt": "generation_prompt",
        "provider_order": "generation_provider_order",
    }
    said = {long: input[short] for short, long in shortcuts.items() if input.get(short) is not None}
    own = {
        name: value
        for name, value in raw.items()
        if value is not None and not is_credential(name) and not is_provider_controlled(name)
    }
    return said | own


Word = tuple[Path, Any]
"""Where the caller said it, and what."""

_KINDS: dict[type, str] = {str: "text", int: "a whole number", bool: "true or false"}
WORDS: dict[str, tuple[str, type]] = {
    "generation_prompt": ("prompt", str),
    "generation_negative_prompt": ("negative_prompt", str),
    "generation_ratio": ("ratio", str),
    "generation_resolution": ("resolution", str),
    "generation_duration": ("seconds", int),
    "generation_output_format": ("output_format", str),
    "generation_generate_audio": ("audio", bool),
    "generation_seed": ("seed", int),
    "generation_width": ("width", int),
    "generation_height": ("height", int),
    "generation_watermark": ("watermark", bool),
    "generation_camera_fixed": ("camera_fixed", bool),
    "generation_input_file_last_content": ("last_frame", str),
}
_DROPPED = frozenset({"generation_output_number", "generation_provider_order"})


def _neutral(step: Step, words: Mapping[str, Word], native: dict[str, Any], found: Findings) -> MediaRequest:
    values: dict[str, Any] = {}
    for name, (path, said) in words.items():
        # JSON has one kind of number: 5.0 is 5.
        value = int(said) if isinstance(said, float) and said.is_integer() else said
        if name == "generation_input_file":
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                found.add(path, "must be a list of picture addresses")
            else:
                values["images"] = tuple(value)
        elif name in WORDS:
            slot, kind = WORDS[name]
            if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
                found.add(path, f"must be {_KINDS[kind]}")
            else:
                values[slot] = value
        elif name not in _DROPPED:
            native.setdefault(name.removeprefix("generation_"), value)
    if values.get("output_format") == "jpg":
        values["output_format"] = "jpeg"
    return MediaRequest(kind=step.kind, **values)

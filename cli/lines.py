"""The lines of `run --each`: what each asks for, the key that makes it one run, and what became of it before."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.failures import Misused
from cli.orders import NO_FIELDS
from cli.prompts import put_prompt
from cli.reading import read_json

Json = dict[str, Any]

_OVER = frozenset({"succeeded", "failed", "canceled"})
_SHORT = ("_prompt", "_model")
"""Ends of names that stand for a place deeper down, which the API prefers."""
_WORDS = ("prompt", "text")


@dataclass(frozen=True)
class Line:
    number: int
    key: str
    body: Json
    fault: str | None = None
    """Why it is no request; the other lines are."""

    @property
    def shape(self) -> str:
        """What the price hangs on: lines that differ in their words alone cost the same."""
        return json.dumps(_without_words(self.body["input"]), sort_keys=True)


@dataclass(frozen=True)
class Result:
    line: int
    key: str
    status: str
    """The run's; or `refused`, where there is no run, or `unfinished`, where nobody saw its end."""
    run_id: str | None = None
    error: str | None = None

    @property
    def is_over(self) -> bool:
        return self.status in _OVER

    @property
    def data(self) -> Json:
        return {name: value for name, value in self.__dict__.items() if value is not None}


def read_lines(file: Path, chain: str, shared: Json, batch: str) -> list[Line]:
    """`shared` is what the flags say of all lines; a line's own words win."""
    try:
        # At line feeds alone: JSON may hold what `splitlines` takes for the end of a line too, such as U+2028.
        texts = file.read_bytes().decode("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Misused(f"--each: {file} can't be read.") from error
    seen: Counter[str] = Counter()
    return [_read(text, number, chain, shared, batch, seen) for number, text in enumerate(texts, 1) if text.strip()]


def _read(text: str, number: int, chain: str, shared: Json, batch: str, seen: Counter[str]) -> Line:
    try:
        given = read_json(text)
    except ValueError as error:
        return _faulty(number, f"is no JSON: {error}")
    if not isinstance(given, dict):
        return _faulty(number, "is no JSON object")
    own = given.pop("idempotency_key", None)
    if not (str(own).isascii() and str(own).isprintable()):
        return _faulty(number, "has an idempotency_key that is not of printable ASCII characters")
    body = given if isinstance(given.get("input"), dict) else {"input": given}
    if wrong := sorted(NO_FIELDS & body.keys()):
        return _faulty(number, f"has {wrong[0]!r}, which is the command line's to say")
    whole = shared | body | {"input": _merged(shared["input"], body["input"])} | _metadata(shared, body)
    content = json.dumps([chain, batch, whole], sort_keys=True)
    # By what it asks for, not by its number: lines may be added above it. Two equal lines are two runs.
    seen[content] += 1
    made = hashlib.sha256(f"{seen[content]} {content}".encode()).hexdigest()[:40]
    return Line(number, str(own) if own else f"each-{made}", whole)


def _faulty(number: int, fault: str) -> Line:
    return Line(number, "", {"input": {}}, fault)


def _merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> Json:
    both = deepcopy(dict(shared))
    # The short ones first, into or before what the flags have deeper down: what the line itself has there wins.
    for name, value in sorted(own.items(), key=lambda item: not item[0].endswith(_SHORT)):
        earlier, models = both.get(name), both.get("chain_models")
        if name.endswith("_model") and isinstance(models, dict):
            models.pop(name, None)
        if name.endswith("_prompt") and isinstance(value, str):
            put_prompt(both, name.removesuffix("_prompt"), value)
        elif isinstance(earlier, dict) and isinstance(value, dict):
            both[name] = earlier | value
        else:
            both[name] = value
    return both


def _metadata(shared: Json, own: Json) -> Json:
    """Both, and the tags of both; nothing where one of them is no object, which is the API's to refuse."""
    given, more = shared.get("metadata"), own.get("metadata")
    if not isinstance(given, dict) or not isinstance(more, dict | None):
        return {}
    more = more or {}
    tags = given.get("tags"), more.get("tags")
    both = given | more
    if isinstance(tags[0], list) and isinstance(tags[1], list):
        both["tags"] = tags[0] + [tag for tag in tags[1] if tag not in tags[0]]
    return {"metadata": both}


def _without_words(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _without_words(child, key) for key, child in value.items() if key != "seed"}
    if isinstance(value, list):
        return [_without_words(child) for child in value]
    return "" if isinstance(value, str) and name.endswith(_WORDS) else value


class Results:
    """A file beside the lines' own, one line of JSON for each thing that happened, kept over every start."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def prepare(self) -> None:
        """An OSError where nothing can be kept, before anything is started."""
        self.file.open("a").close()

    def read(self) -> dict[str, Result]:
        """The last word on every key. A line that was cut off by a crash is no word."""
        known: dict[str, Result] = {}
        for text in self.file.read_text().splitlines() if self.file.exists() else ():
            try:
                result = Result(**json.loads(text))
            except (ValueError, TypeError):
                continue
            known[result.key] = result
        return known

    def add(self, result: Result) -> None:
        with self.file.open("a") as appending:
            appending.write(json.dumps(result.data) + "\n")


def still_to_do(lines: Iterable[Line], known: Mapping[str, Result]) -> list[Line]:
    return [line for line in lines if line.key not in known or not known[line.key].is_over]

"""What a run is to be made from: flags, JSON on the command line, a file, or all of them together."""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from babychain_client import BabyChain
from cli.failures import Misused
from cli.prompts import put_prompt
from cli.reading import read_json

Json = dict[str, Any]
Several = Annotated[list[str], Parameter(negative="", show_default=False)]

NO_FIELDS = frozenset({"self", "chain", "run_id", "idempotency_key"})
"""Not of a request's body: the command line itself says them."""

_NO_FILE = re.compile(r"https?://.*|data:.*|[0-9a-f]{64}\.[a-z0-9]+", re.DOTALL)
"""An address, or an uploaded picture's id."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Order:
    """Flags win over what `--input` holds."""

    input: Annotated[str | None, Parameter(alias="-i", allow_leading_hyphen=True)] = None
    """The request's `input`, or its whole body: JSON, a file that holds it, or - for standard input."""
    prompt: Annotated[str | None, Parameter(alias="-p")] = None
    """What to show, for every step; --set STEP_prompt=... gives one step its own."""
    model: Annotated[list[str], Parameter(alias="-m", negative="", show_default=False)] = field(default_factory=list)
    """STEP=MODEL. Repeat it for several steps."""
    set: Annotated[list[str], Parameter(alias="-s", negative="", show_default=False)] = field(default_factory=list)
    """NAME=VALUE of the input, such as image_to_video_params.duration=4. Repeat it for several."""
    image: str | None = None
    """The start picture: a file, which is uploaded, an https address, or an uploaded picture's id."""
    metadata: Several = field(default_factory=list)
    """NAME=VALUE, comes back in every answer. Repeat it for several."""
    tag: Several = field(default_factory=list)
    """A word to find the run by. Repeat it for several."""
    webhook_url: str | None = None
    """Gets one signed POST at the run's end."""
    max_cost: str | None = None
    """US dollars that the run may cost at most."""

    def body(self, client: BabyChain, chain: str) -> Json:
        """The request's body. Asks the API only for the chain's steps and to take a picture, where that is needed."""
        body = _whole(_read(self.input)) if self.input else {"input": {}}
        asked: Json = body["input"]
        for step, model in pairs(self.model, "--model"):
            _object(asked, "chain_models")[f"{step.removesuffix('_model')}_model"] = model
        if self.prompt is not None:
            for step in _steps(client, chain):
                put_prompt(asked, step, self.prompt)
        for name, value in pairs(self.set, "--set"):
            _put(asked, name, _value(value))
        if self.image is not None:
            asked["source_image_url"] = _picture(client, self.image)
        metadata = dict(pairs(self.metadata, "--metadata")) | ({"tags": list(self.tag)} if self.tag else {})
        if metadata:
            _object(body, "metadata").update(metadata)
        more = {"webhook_url": self.webhook_url, "max_cost": self.max_cost}
        return body | {name: value for name, value in more.items() if value is not None}


def _read(given: str) -> Json:
    try:
        text = (
            sys.stdin.read() if given == "-" else given if given.lstrip().startswith("{") else Path(given).read_text()
        )
        found = read_json(text)
    except OSError as error:
        raise Misused(f"--input: there is no file {given!r} that can be read.") from error
    except ValueError as error:
        raise Misused(f"--input is no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise Misused("--input must hold a JSON object.")
    return found


def _whole(given: Json) -> Json:
    """A body has `input` in it; all else is an input itself."""
    if not isinstance(given.get("input"), dict):
        return {"input": given}
    if wrong := sorted(NO_FIELDS & given.keys()):
        raise Misused(f"--input has {wrong[0]!r}, which is the command line's to say.")
    return given


def _object(of: Json, name: str) -> Json:
    """What stands under this name, made where nothing does."""
    if of.get(name) is None:
        of[name] = {}
    found = of[name]
    if not isinstance(found, dict):
        raise Misused(f"--input: its {name} must be a JSON object for a flag to add to it.")
    return found


def _steps(client: BabyChain, chain: str) -> list[str]:
    """None of a chain that there is not: the API says so, to this request as to any other."""
    templates = client.templates()
    return [step["key"] for template in templates if template["slug"] == chain for step in template["steps"]]


def _picture(client: BabyChain, given: str) -> str:
    if _NO_FILE.fullmatch(given):
        return given
    try:
        return client.upload(given)
    except OSError as error:
        raise Misused(f"--image: there is no file {given!r} that can be read.") from error


def pairs(given: Iterable[str], flag: str) -> list[tuple[str, str]]:
    found = []
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise Misused(f"{flag} takes NAME=VALUE, not {text!r}.")
        found.append((name, value))
    return found


def _value(text: str) -> Any:
    """`4`, `true` and `{"a": 1}` are what they look like in JSON; all else is text."""
    try:
        return read_json(text)
    except ValueError:
        return text


def _put(into: Json, name: str, value: Any) -> None:
    *path, last = name.split(".")
    for part in path:
        into = into.setdefault(part, {})
        if not isinstance(into, dict):
            raise Misused(f"--set {name}: {part} is a value, not an object.")
    into[last] = value

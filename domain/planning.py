"""Template + request -> plan. Every check that can be made before money is spent is made here, and all at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from domain.catalogue import Catalogue
from domain.chains import ChainTemplate, Step
from domain.errors import Fault, RequestError
from domain.forbidden import is_credential, is_prewired, is_provider_controlled, named_fields, normalise
from domain.limits import check_shape
from domain.media import InputRef, MediaKind, MediaRequest
from domain.plan import PLAN_VERSION, Candidate, ChainPlan, PlannedStep
from domain.provider import ModelCard

Path = tuple[str | int, ...]

_CODES = (
    "invalid_chain_input",
    "invalid_model_identifier",
    "unsupported_model_identifier",
    "byok_credentials_missing",
)
_SHARED_FIELDS = frozenset({"chain_models", "provider_order"})
_ROOT_SHORTCUTS = {
    MediaKind.IMAGE: {"image_ratio": "generation_ratio"},
    MediaKind.VIDEO: {
        "video_ratio": "generation_ratio",
        "video_duration": "generation_duration",
        "video_resolution": "generation_resolution",
    },
}


@dataclass(frozen=True)
class RunRequest:
    """A create request that has passed the envelope checks."""

    run_id: str
    caller: str
    created_at: datetime
    input: dict[str, Any]
    metadata: dict[str, Any]
    webhook_url: str | None
    client_request_id: str | None


@dataclass
class Findings:
    """The faults of one request. The code of the answer is that of the check that comes first in the contract."""

    faults: list[tuple[str, Fault]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, path: Path, message: str, code: str = "invalid_chain_input") -> None:
        """One fault a place: what was said first is the reason, what follows from it is noise."""
        here = ("input", *path)
        if all(fault.path != here for _, fault in self.faults):
            self.faults.append((code, Fault(here, message)))

    def raise_if_any(self) -> None:
        if not self.faults:
            return
        code = min((code for code, _ in self.faults), key=_CODES.index)
        faults = [fault for _, fault in self.faults]
        if len(faults) == 1:
            fault = faults[0]
            raise RequestError(f"{'.'.join(map(str, fault.path))} {fault.message}.", code=code, faults=faults)
        raise RequestError(f"The request has {len(faults)} faults; see errors.", code=code, faults=faults)


def plan_run(template: ChainTemplate, request: RunRequest, catalogue: Catalogue) -> ChainPlan:
    """Make the plan, or raise one RequestError that names every fault."""
    found = Findings()
    _check_fields(template, request.input, found)
    chosen = {step.key: _choose_model(step, request.input, catalogue, found) for step in template.steps}
    _check_lengths(request.input, chosen, found)
    steps = tuple(
        planned
        for step in template.steps
        if (planned := _plan_step(step, chosen[step.key], request.input, catalogue, found)) is not None
    )
    _warn_handed_on(steps, chosen, found)
    found.raise_if_any()
    return ChainPlan(
        v=PLAN_VERSION,
        run_id=request.run_id,
        template=template.slug,
        version=template.version,
        mode=catalogue.mode,
        caller=request.caller,
        created_at=request.created_at,
        deadline=sum(step.deadline for step in steps),
        steps=steps,
        input=_echo(template, request.input, {key: card.id for key, card in chosen.items() if card}),
        metadata=request.metadata,
        webhook_url=request.webhook_url,
        client_request_id=request.client_request_id,
        warnings=tuple(found.warnings),
    )


def input_fields(template: ChainTemplate) -> frozenset[str]:
    """Every name that may stand in `input`."""
    names = set(_SHARED_FIELDS)
    if any(step.starts_from_picture for step in template.steps):
        names.add("source_image_url")
    for step in template.steps:
        names |= {f"{step.key}_model", f"{step.key}_params", f"{step.key}_prompt"} | set(_ROOT_SHORTCUTS[step.kind])
    return frozenset(names)


# ---- the shape of `input` -------------------------------------------------------------------------------------


def _check_fields(template: ChainTemplate, input: Mapping[str, Any], found: Findings) -> None:
    known = input_fields(template)
    for path, name, _ in named_fields(input):
        if is_credential(name):
            found.add(path, "looks like a credential; provider keys live on the server, remove it")
    for name in input:
        if name not in known and not is_credential(name):
            found.add((name,), f"is not a field of {template.slug}; its fields are {', '.join(sorted(known))}")
    models = input.get("chain_models", {})
    if not isinstance(models, dict):
        found.add(("chain_models",), "must be an object of <step>_model names")
        return
    for name in models:
        if name.endswith("_model") and name not in known:
            wanted = ", ".join(f"{step.key}_model" for step in template.steps)
            found.add(("chain_models", name), f"names no step of {template.slug}; expected {wanted}")


def _echo(template: ChainTemplate, input: Mapping[str, Any], models: Mapping[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {"chain_models": {f"{step.key}_model": models[step.key] for step in template.steps}}
    hidden = {"chain_models", *(f"{step.key}_model" for step in template.steps)}
    return shown | {name: value for name, value in input.items() if name not in hidden}


def _check_lengths(input: Mapping[str, Any], chosen: Mapping[str, ModelCard | None], found: Findings) -> None:
    """The contract's limit on strings, except where a provider documents a limit of its own: its model checks that."""
    own = {
        place
        for key, card in chosen.items()
        if card is not None
        for name in _limited_fields(card.params)
        for place in ((f"{key}_params", name), (f"{key}_params", f"generation_{name}"), (f"{key}_{name}",))
    }
    found.faults.extend(
        ("invalid_chain_input", fault) for fault in check_shape(input, "input") if fault.path[1:] not in own
    )


@cache
def _limited_fields(params: type[BaseModel]) -> frozenset[str]:
    """Kept, because making the schema would take a quarter of the time of a create."""
    fields = params.model_json_schema()["properties"].items()
    return frozenset(
        name for name, schema in fields if any("maxLength" in form for form in (schema, *schema.get("anyOf", ())))
    )


# ---- models ---------------------------------------------------------------------------------------------------


def _choose_model(step: Step, input: Mapping[str, Any], catalogue: Catalogue, found: Findings) -> ModelCard | None:
    name = f"{step.key}_model"
    models = input.get("chain_models")
    nested = models.get(name) if isinstance(models, dict) else None
    path: Path = ("chain_models", name) if nested is not None else (name,)
    wanted = nested if nested is not None else input.get(name)
    if wanted is None:
        wanted = step.default_model
    if not isinstance(wanted, str) or not wanted.strip() or "/" not in wanted:
        found.add(path, "must be a model id such as " + repr(step.default_model), "invalid_model_identifier")
        return None
    card = catalogue.find(wanted)
    if card is None:
        choices = ", ".join(catalogue.of_kind(step.kind))
        found.add(path, f"names no known model; {step.kind} models are {choices}", "unsupported_model_identifier")
        return None
    if not _fits(step, card, path, found):
        return None
    if not catalogue.is_offered(card):
        key = catalogue.key_names[card.provider]
        found.add(
            path,
            f"needs the key of {card.provider}, which this server has not; set {key} or choose another model",
            "byok_credentials_missing",
        )
    return card


def _fits(step: Step, card: ModelCard, path: Path, found: Findings) -> bool:
    if card.kind is not step.kind:
        found.add(path, f"names a model that makes a {card.kind}; the step makes a {step.kind}")
        return False
    fed = bool(step.takes) or step.starts_from_picture
    if fed and card.inputs.maximum == 0:
        found.add(path, "names a model that takes no input picture, which this step has")
        return False
    if not fed and card.inputs.minimum > 0:
        found.add(path, "names a model that needs an input picture, which this step has not")
        return False
    return True


# ---- one step -------------------------------------------------------------------------------------------------


def _plan_step(
    step: Step, card: ModelCard | None, input: Mapping[str, Any], catalogue: Catalogue, found: Findings
) -> PlannedStep | None:
    name = f"{step.key}_params"
    raw = input.get(name, {})
    if not isinstance(raw, dict):
        found.add((name,), "must be an object of the model's own parameters")
        return None
    if card is None:
        return None
    _check_owned(step, card, raw, found)
    generation, native = _split_generation(step, input, raw, found)
    named, native = card.read_inputs(native)
    pictures = _pictures(step, card, input, (*generation.images, *named), found)
    mapped = card.from_neutral(replace(generation, images=()))
    params = card.merge(mapped.params, native)
    if not _is_valid(card, params, raw, (name,), found):
        return None
    count = len(pictures) + len(step.takes)
    if faults := card.check_pictures(params, count):
        for fault in faults:
            found.add((name, *fault.path), fault.message)
        return None
    candidate = Candidate(
        model=card.id,
        raw_id=card.raw_id,
        provider=card.provider,
        params=params,
        safety=card.safety(webhooks_reach_us=catalogue.webhooks_reach_us),
        webhook=card.webhook and catalogue.webhooks_reach_us,
        findable=card.findable,
        input_forms=card.input_forms,
        looks=card.looks,
        submit_timeout=card.submit_timeout,
        patience=card.deadline,
        cost=card.price(params, count),
        lost=mapped.lost,
    )
    found.warnings.extend(f"{step.key}: {fault.message}" for fault in card.warn(params))
    found.warnings.extend(f"{step.key}: {card.id} cannot be told {lost}" for lost in mapped.lost)
    return PlannedStep(
        key=step.key,
        title=step.title,
        kind=step.kind,
        takes=step.takes,
        inputs=tuple(InputRef(url=picture) for picture in pictures),
        candidates=(candidate,),
        deadline=card.deadline,
    )


def _warn_handed_on(steps: Iterable[PlannedStep], chosen: Mapping[str, ModelCard | None], found: Findings) -> None:
    """A picture of a size that the next model's page excludes: it is paid for, and the run may end there."""
    planned = {step.key: step for step in steps}
    for step in planned.values():
        card = chosen[step.key]
        for source in step.takes:
            maker = chosen[source]
            if card is None or maker is None or card.input_sides is None or source not in planned:
                continue
            whole = maker.params.model_validate(planned[source].candidates[0].params).model_dump()
            made, (low, high) = maker.read_neutral(whole), card.input_sides
            if made.width and made.height and not (low <= made.width <= high and low <= made.height <= high):
                size = f"{made.width} by {made.height} pixels"
                found.warnings.append(f"{source}: makes {size}; {card.id} documents sides of {low} to {high}")


def _check_owned(step: Step, card: ModelCard, raw: Mapping[str, Any], found: Findings) -> None:
    """Fields that the adapter or the chain fills are refused by name, never silently overwritten."""
    owned = {normalise(name) for name in card.owned}
    base = f"{step.key}_params"
    for path, name, value in named_fields(raw, (base,)):
        if is_credential(name):
            continue
        # `generation_<field>` reaches the field of that name, so it is judged as that field too.
        native = name.removeprefix("generation_")
        if (len(path) == 2 and is_provider_controlled(name)) or owned & {normalise(name), normalise(native)}:
            found.add(path, "is set by the server; remove it")
        elif step.takes and (is_prewired(name) or is_prewired(native)) and value not in (None, "", [], {}):
            found.add(path, f"is filled by the chain from {', '.join(step.takes)}; remove it")


def _split_generation(
    step: Step, input: Mapping[str, Any], raw: Mapping[str, Any], found: Findings
) -> tuple[MediaRequest, dict[str, Any]]:
    """BabyChain's own `generation_*` words, and the native parameters. Native ones win where both are given."""
    shortcuts = _ROOT_SHORTCUTS[step.kind] | {f"{step.key}_prompt": "generation_prompt"}
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


Word = tuple[Path, Any]
"""Where the caller said it, and what."""

_KINDS: dict[type, str] = {str: "text", int: "a whole number", bool: "true or false"}
_WORDS: dict[str, tuple[str, type]] = {
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
        elif name in _WORDS:
            slot, kind = _WORDS[name]
            if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
                found.add(path, f"must be {_KINDS[kind]}")
            else:
                values[slot] = value
        elif name not in _DROPPED:
            native.setdefault(name.removeprefix("generation_"), value)
    if values.get("output_format") == "jpg":
        values["output_format"] = "jpeg"
    return MediaRequest(kind=step.kind, **values)


def _pictures(
    step: Step, card: ModelCard, input: Mapping[str, Any], named: tuple[str, ...], found: Findings
) -> tuple[str, ...]:
    """The caller's own input pictures of this step, in the order they are numbered for the model."""
    source = input.get("source_image_url") if step.starts_from_picture else None
    if source is not None and not isinstance(source, str):
        found.add(("source_image_url",), "must be the address of a picture, or the id of an uploaded asset")
        return ()
    pictures = tuple(dict.fromkeys([*([source] if source else []), *named]))
    room = card.inputs.maximum - len(step.takes)
    if step.starts_from_picture and not pictures:
        found.add(
            ("source_image_url",),
            f"is missing: give the start picture here or in {step.key}_params, as an https address or an asset id",
        )
    elif len(pictures) > room:
        found.add((f"{step.key}_params",), f"names {len(pictures)} pictures; {card.id} takes {max(room, 0)} here")
    return pictures


def _is_valid(card: ModelCard, params: Mapping[str, Any], raw: Mapping[str, Any], base: Path, found: Findings) -> bool:
    """Prices and warnings read the parameters, so they are asked only of valid ones."""
    try:
        card.params.model_validate(dict(params))
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_context=False, include_input=False):
            if problem["type"] == "extra_forbidden":
                message = f"is not a parameter of {card.id}; it takes {_names(_fields_at(card, problem['loc'][:-1]))}"
            else:
                message = problem["msg"][0].lower() + problem["msg"][1:]
            found.add((*base, *_as_sent(problem["loc"], raw)), message)
        return False
    faults = card.check(params)
    for fault in faults:
        found.add((*base, *fault.path), fault.message)
    return not faults


def _as_sent(path: Path, raw: Mapping[str, Any]) -> Path:
    """The path in the caller's own words, where a `generation_<field>` became that field."""
    said = f"generation_{path[0]}" if path else ""
    return (said, *path[1:]) if said in raw and path[0] not in raw else path


def _fields_at(card: ModelCard, path: Path) -> Iterable[str]:
    """The fields that stand beside an unknown one: its own object's, not always the model's."""
    schema = card.params.model_json_schema()
    here = schema
    for part in path:
        here = here["items"] if isinstance(part, int) else here["properties"][part]
        while "$ref" in here or "anyOf" in here:
            here = schema["$defs"][here["$ref"].rsplit("/", 1)[1]] if "$ref" in here else here["anyOf"][0]
    return list(here["properties"])


def _names(fields: Iterable[str]) -> str:
    return ", ".join(sorted(fields))

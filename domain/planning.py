"""Template + request -> plan. Every check that can be made before money is spent is made here, and all at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import BaseModel

from domain.candidates import judge, make_candidate, retell, wish_of
from domain.catalogue import Catalogue
from domain.chains import ChainTemplate, Step
from domain.choosing import Choice, Chosen, choose_models
from domain.findings import CODES, Findings, Path
from domain.forbidden import given_away, is_credential, is_prewired, is_provider_controlled, named_fields, normalise
from domain.generation import ROOT_SHORTCUTS, own_words, split_generation
from domain.handing_on import fit_together
from domain.limits import check_shape
from domain.losses import not_held
from domain.media import InputRef, MediaRequest
from domain.plan import PLAN_VERSION, ChainPlan, PlannedStep, RunOptions
from domain.provider import ModelCard
from domain.request_schemas import is_parameter

_SHARED_FIELDS = frozenset({"chain_models", "provider_order"})


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
    options: RunOptions = RunOptions()


def plan_run(template: ChainTemplate, request: RunRequest, catalogue: Catalogue) -> ChainPlan:
    """Make the plan, or raise one RequestError that names every fault."""
    found = Findings()
    _check_fields(template, request.input, found)
    chosen = {
        step.key: choose_models(step, request.input, catalogue, found, fallbacks=request.options.fallbacks)
        for step in template.steps
    }
    _check_lengths(request.input, {key: one.first for key, one in chosen.items() if one}, found)
    steps = tuple(
        planned
        for step in template.steps
        if (planned := _plan_step(step, chosen[step.key], request.input, catalogue, found)) is not None
    )
    steps = fit_together(steps, chosen, catalogue, found)
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
        input=_echo(template, request.input, {key: one.shown for key, one in chosen.items() if one}),
        metadata=request.metadata,
        webhook_url=request.webhook_url,
        client_request_id=request.client_request_id,
        options=request.options,
        warnings=tuple(found.warnings),
    )


def input_fields(template: ChainTemplate) -> frozenset[str]:
    """Every name that may stand in `input`."""
    names = set(_SHARED_FIELDS)
    if any(step.starts_from_picture for step in template.steps):
        names.add("source_image_url")
    for step in template.steps:
        names |= {f"{step.key}_model", f"{step.key}_params", f"{step.key}_prompt"} | set(ROOT_SHORTCUTS[step.kind])
    return frozenset(names)


# ---- the shape of `input` -------------------------------------------------------------------------------------


def _check_fields(template: ChainTemplate, input: Mapping[str, Any], found: Findings) -> None:
    known = input_fields(template)
    for path, message in given_away(input):
        found.add(path, message)
    for name in input:
        if name not in known:
            found.add((name,), f"is not a field of {template.slug}; its fields are {', '.join(sorted(known))}")
    models = input.get("chain_models", {})
    if not isinstance(models, dict):
        found.add(("chain_models",), "must be an object of <step>_model names")
        return
    for name in models:
        if name.endswith("_model") and name not in known:
            wanted = ", ".join(f"{step.key}_model" for step in template.steps)
            found.add(("chain_models", name), f"names no step of {template.slug}; expected {wanted}")


def _echo(template: ChainTemplate, input: Mapping[str, Any], models: Mapping[str, str | list[str]]) -> dict[str, Any]:
    shown: dict[str, Any] = {"chain_models": {f"{step.key}_model": models[step.key] for step in template.steps}}
    hidden = {"chain_models", *(f"{step.key}_model" for step in template.steps)}
    return shown | {name: value for name, value in input.items() if name not in hidden}


def _check_lengths(input: Mapping[str, Any], cards: Mapping[str, ModelCard], found: Findings) -> None:
    """The contract's limit on strings, except where a provider documents a limit of its own: its model checks that."""
    own = {
        place
        for key, card in cards.items()
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


# ---- one step -------------------------------------------------------------------------------------------------


def _plan_step(
    step: Step, chosen: Chosen | None, input: Mapping[str, Any], catalogue: Catalogue, found: Findings
) -> PlannedStep | None:
    name = f"{step.key}_params"
    raw = input.get(name, {})
    if not isinstance(raw, dict):
        found.add((name,), "must be an object of the model's own parameters")
        return None
    if chosen is None:
        _judge_without_model(step, input, catalogue, found)
        return None
    card = chosen.first
    _check_owned(step, card, raw, found)
    for key, value in raw.items():
        if value is None and not is_parameter(card, key):
            # Nulls go no further, and a misspelt field should be told whatever it holds.
            found.add((name, key), f"is not a parameter of {card.id}")
    if card.speaks_words:
        words, native = MediaRequest(step.kind), own_words(step, input, raw)
    else:
        words, native = split_generation(step, input, raw, found)
    named, native = (card.further.read if step.takes and card.further else card.read_inputs)(native)
    pictures = _pictures(step, card, input, (*words.images, *named), found)
    mapped = card.from_neutral(replace(words, images=()))
    params = card.merge(mapped.params, native)
    count = len(pictures) + len(step.takes)
    faults = judge(card, params) or [(fault.path, fault.message) for fault in card.check_pictures(params, count)]
    for path, message in faults:
        found.add((name, *_as_sent(path, raw)), message)
    if faults:
        return None
    doubts = [*card.warn(params), *card.warn_pictures(params, count)]
    found.warnings.extend(f"{step.key}: {fault.message}" for fault in doubts)
    found.warnings.extend(f"{step.key}: {card.id} cannot be told {lost}" for lost in mapped.lost)
    others = list(_others(chosen, params, words, count, found)) if len(chosen.choices) > 1 else []
    first = make_candidate(card, params, count, mapped.lost, catalogue, last=not others)
    first = replace(first, pictures=max(first.pictures, count))
    spare = [
        make_candidate(other, told, count, lost, catalogue, last=number == len(others))
        for number, (other, told, lost) in enumerate(others, start=1)
    ]
    return PlannedStep(
        key=step.key,
        title=step.title,
        kind=step.kind,
        takes=step.takes,
        inputs=tuple(InputRef(url=picture) for picture in pictures),
        candidates=(first, *spare),
        deadline=sum(candidate.deadline for candidate in (first, *spare)),
    )


def _judge_without_model(step: Step, input: Mapping[str, Any], catalogue: Catalogue, found: Findings) -> None:
    """Until the model is mended, only what every model of the step's kind refuses is certainly wrong."""
    trials: dict[str, dict[Path, str]] = {}
    for name in catalogue.of_kind(step.kind):
        trial = Findings()
        _plan_step(step, Chosen((Choice(catalogue.models[name], ()),), name), input, catalogue, trial)
        trials[name] = {fault.path: fault.message for _, fault in trial.faults}
    for path, message in trials.get(step.default_model, {}).items():
        messages = {trial.get(path) for trial in trials.values()}
        if None not in messages:
            said = message if len(messages) == 1 else f"suits no {step.kind} model: {message}"
            # The model comes first in this step: its own fault gives the answer's code.
            found.add(path[1:], said, CODES[-1])


def _others(
    chosen: Chosen, params: dict[str, Any], words: MediaRequest, pictures: int, found: Findings
) -> Iterator[tuple[ModelCard, dict[str, Any], tuple[str, ...]]]:
    """The models after the first, with the same wish in their own parameters, and what is lost."""
    wish, unsaid = wish_of(chosen.first, params, words)
    for choice in chosen.choices[1:]:
        told = retell(choice.card, wish, pictures)
        if not isinstance(told, str):
            yield choice.card, told[0], (*not_held(choice.card, told[0], unsaid), *told[1])
        elif choice.asked:
            found.add(choice.path, f"names {choice.card.id}, which cannot be told what the first model is: {told}")
        else:
            found.warnings.append(f"{choice.card.id} is left out as a fallback: {told}")


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
        elif not step.takes or value in (None, "", [], {}) or (card.further and card.further.is_place(path[1:], raw)):
            continue
        elif is_prewired(name) or is_prewired(native):
            found.add(path, f"is filled by the chain from {', '.join(step.takes)}; remove it")


def _pictures(
    step: Step, card: ModelCard, input: Mapping[str, Any], named: tuple[str, ...], found: Findings
) -> tuple[str, ...]:
    """The caller's own input pictures of this step, in the order they are numbered for the model."""
    source = input.get("source_image_url") if step.starts_from_picture else None
    if source is not None and not isinstance(source, str):
        found.add(("source_image_url",), "must be the address of a picture, or the id of an uploaded asset")
        return ()
    pictures = tuple(dict.fromkeys([*([source] if source else []), *named]))
    most = card.further.most + 1 if step.takes and card.further else card.inputs.maximum
    room = most - len(step.takes)
    if step.starts_from_picture and not pictures:
        found.add(
            ("source_image_url",),
            f"is missing: give the start picture here or in {step.key}_params, as an https address or an asset id",
        )
    elif len(pictures) > room:
        found.add((f"{step.key}_params",), f"names {len(pictures)} pictures; {card.id} takes {max(room, 0)} here")
    return pictures


def _as_sent(path: Path, raw: Mapping[str, Any]) -> Path:
    """The path in the caller's own words, where a `generation_<field>` became that field."""
    said = f"generation_{path[0]}" if path else ""
    return (said, *path[1:]) if said in raw and path[0] not in raw else path

"""What a step's picture has to be for the step after it: asked for where its maker can be asked, scaled otherwise.

What only cropping would mend is a fault of the request: it is known before the picture is paid for.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from domain.candidates import judge
from domain.catalogue import Catalogue
from domain.choosing import Chosen
from domain.findings import Findings
from domain.fitting import Picture, Unfit, fit, fits
from domain.media import InputForm, MediaRequest, PictureLimits
from domain.plan import Candidate, PlannedStep
from domain.provider import ModelCard, Params

_CLASS = re.compile(r"([1-9])K")


def fit_together(
    steps: Sequence[PlannedStep], chosen: Mapping[str, Chosen | None], catalogue: Catalogue, found: Findings
) -> tuple[PlannedStep, ...]:
    """The steps, those that later ones take from asked for sizes that fit. Every candidate is asked for itself."""
    planned = {step.key: step for step in steps}
    for step in steps:
        for source in step.takes:
            if source in planned:
                maker, taker = planned[source], catalogue.models[step.candidates[0].model]
                candidates = tuple(_fitting(maker, one, taker, catalogue, found) for one in maker.candidates)
                planned[source] = maker = replace(maker, candidates=candidates)
                taking = _with_fitting_spares(planned[step.key], maker, chosen[step.key], catalogue, found)
                _advise(taking, maker, catalogue, found)
                planned[step.key] = taking
    return tuple(planned.values())


def _fitting(
    maker: PlannedStep, candidate: Candidate, taker: ModelCard, catalogue: Catalogue, found: Findings
) -> Candidate:
    card = catalogue.models[candidate.model]
    picture = _made(card, candidate.params)
    if picture is None or fits(picture, taker.pictures):
        return candidate
    if (asked := _ask(card, candidate, picture, taker.pictures)) is not None:
        found.warnings.append(f"{maker.key}: {card.id} is asked for {_size(card, asked)}, which {taker.id} takes")
        pictures = min(len(maker.takes) + len(maker.inputs), candidate.pictures)
        return replace(candidate, params=asked, cost=card.price(asked, pictures))
    if (reason := _misfit(picture, taker, catalogue)) is None:
        found.warnings.append(f"{maker.key}: {card.id} makes {picture.size}; {taker.id} gets a scaled copy")
    elif candidate is maker.candidates[0]:
        found.add((f"{maker.key}_params",), f"make a picture that {taker.id} can't take: {reason}")
    else:
        found.warnings.append(f"{maker.key}: {card.id} makes a picture that {taker.id} can't take: {reason}")
    return candidate


def _with_fitting_spares(
    step: PlannedStep, maker: PlannedStep, chosen: Chosen | None, catalogue: Catalogue, found: Findings
) -> PlannedStep:
    """What stands in for the first model has to take the picture too: found out now, not after it was paid for."""
    card = catalogue.models[maker.candidates[0].model]
    picture = _made(card, maker.candidates[0].params)
    if chosen is None or picture is None:
        return step
    for choice in chosen.choices[1:]:
        spare = next((one for one in step.candidates if one.model == choice.card.id), None)
        if spare is None or fits(picture, choice.card.pictures):
            continue
        if (reason := _misfit(picture, choice.card, catalogue)) is None:
            found.warnings.append(f"{maker.key}: {card.id} makes {picture.size}; {choice.card.id} gets a scaled copy")
        elif choice.asked:
            remedy = f"ask for another size in {maker.key}_params, or leave this model out"
            found.add(
                choice.path, f"names {choice.card.id}, which can't take the picture it would get: {reason}; {remedy}"
            )
        else:
            found.warnings.append(f"{choice.card.id} is left out as a fallback: {reason}")
            step = without(step, spare)
    return step


def without(step: PlannedStep, spare: Candidate) -> PlannedStep:
    """No model comes after the last one, so it gets all the time that its provider needs."""
    *others, last = (one for one in step.candidates if one is not spare)
    kept = (*others, replace(last, patience=last.deadline))
    return replace(step, candidates=kept, deadline=sum(one.deadline for one in kept))


def _advise(step: PlannedStep, maker: PlannedStep, catalogue: Catalogue, found: Findings) -> None:
    made = [_made(catalogue.models[one.model], one.params) for one in maker.candidates]
    found.warnings.extend(advice_on(step, filter(None, made), catalogue.models))


def advice_on(step: PlannedStep, pictures: Iterable[Picture], models: Mapping[str, ModelCard]) -> Iterable[str]:
    """What makers of models advise of their input pictures holds nothing up."""
    return dict.fromkeys(
        f"{step.key}: {taker.model} gets a picture of {picture.size}; {advice}"
        for picture in pictures
        for taker in step.candidates
        if (advice := models[taker.model].advise(taker.params, picture.width, picture.height)) is not None
    )


def _misfit(picture: Picture, taker: ModelCard, catalogue: Catalogue) -> str | None:
    try:
        fit(picture, taker.pictures)
    except Unfit as error:
        return error.message.rstrip(".")
    if taker.input_forms == (InputForm.URL,) and not catalogue.webhooks_reach_us:
        return "it would have to fetch a scaled copy from this server, which it can't reach; set BABYCHAIN_PUBLIC_URL"
    return None


def _made(card: ModelCard, params: Params) -> Picture | None:
    """The picture that these parameters make, defaults included, as far as its size is known."""
    wish = card.read_neutral(card.params.model_validate(params).model_dump())
    if wish.width and wish.height:
        return Picture(wish.width, wish.height)
    # Of `2K` only the number of pixels is known: its shape may be any.
    size_class = _CLASS.fullmatch(wish.resolution or "")
    return Picture(int(size_class[1]) * 1024, int(size_class[1]) * 1024) if size_class else None


def _size(card: ModelCard, params: Params) -> str:
    made = _made(card, params)
    return made.size if made is not None else "another size"


def _ask(card: ModelCard, candidate: Candidate, picture: Picture, limits: PictureLimits) -> dict[str, object] | None:
    """The parameters with a size that fits, unless the caller has named one or the model makes none such."""
    said = card.read_neutral(candidate.params)
    if said.width or said.height or said.resolution:
        return None
    try:
        copy = fit(picture, limits)
    except Unfit:
        return None
    if copy is None:
        return None
    mapped = card.from_neutral(MediaRequest(kind=card.kind, width=copy.width, height=copy.height))
    params = card.merge(mapped.params, candidate.params)
    if mapped.lost or judge(card, params):
        return None
    made = _made(card, params)
    return params if made is not None and fits(made, limits) else None

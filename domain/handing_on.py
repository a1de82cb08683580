"""What a step's picture has to be for the step after it: asked for where its maker can be asked, scaled otherwise.

What only cropping would mend is a fault of the request: it is known before the picture is paid for.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from domain.candidates import judge
from domain.catalogue import Catalogue
from domain.findings import Findings
from domain.fitting import Picture, Unfit, fit, fits
from domain.media import InputForm, MediaRequest, PictureLimits
from domain.plan import Candidate, PlannedStep
from domain.provider import ModelCard, Params

_CLASS = re.compile(r"([1-9])K")


def fit_together(steps: Iterable[PlannedStep], catalogue: Catalogue, found: Findings) -> tuple[PlannedStep, ...]:
    """The steps, those that later ones take from asked for sizes that fit. Every candidate is asked for itself."""
    planned = {step.key: step for step in steps}
    for step in list(planned.values()):
        for source in step.takes:
            if source in planned:
                maker, taker = planned[source], catalogue.models[step.candidates[0].model]
                candidates = tuple(_fitting(maker, one, taker, catalogue, found) for one in maker.candidates)
                planned[source] = replace(maker, candidates=candidates)
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

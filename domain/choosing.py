"""Which models may do a step: the caller's own choice, or the template's, and what this deployment falls back to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain.catalogue import Catalogue
from domain.chains import Step
from domain.errors import SetupError
from domain.findings import Findings, Path
from domain.provider import ModelCard

MOST_CANDIDATES = 5


@dataclass(frozen=True)
class Choice:
    card: ModelCard
    path: Path
    """Where the caller named it; a deployment's fallback stands where the model does that it falls back from."""
    asked: bool = True


@dataclass(frozen=True)
class Chosen:
    """The choices of one step, the first of them first, and how the caller named them."""

    choices: tuple[Choice, ...]
    shown: str | list[str]

    @property
    def first(self) -> ModelCard:
        return self.choices[0].card


def choose_models(
    step: Step, input: Mapping[str, Any], catalogue: Catalogue, found: Findings, *, fallbacks: bool
) -> Chosen | None:
    """None when a model cannot be used; the reasons are among the findings."""
    wanted, path = _wanted(step, input)
    if not isinstance(wanted, list):
        card = _choose(step, wanted, path, catalogue, found)
        if card is None:
            return None
        spare = _fallbacks(step, card, path, catalogue) if fallbacks else ()
        return Chosen((Choice(card, path), *spare), card.id)
    if not 1 <= len(wanted) <= MOST_CANDIDATES:
        found.add(path, f"must name 1 to {MOST_CANDIDATES} models, the preferred one first")
        return None
    cards = [_choose(step, name, (*path, number), catalogue, found) for number, name in enumerate(wanted)]
    choices: list[Choice] = []
    for number, card in enumerate(cards):
        if card is not None and any(card.id == earlier.card.id for earlier in choices):
            found.add((*path, number), f"names {card.id} a second time")
        elif card is not None:
            choices.append(Choice(card, (*path, number)))
    if len(choices) < len(cards):
        return None
    return Chosen(tuple(choices), [choice.card.id for choice in choices])


def with_fallbacks(catalogue: Catalogue, text: str) -> Catalogue:
    """`BABYCHAIN_FALLBACKS`: `model=stand-in,stand-in; model=stand-in`. A name that nobody knows stops the start."""
    fallbacks: dict[str, tuple[str, ...]] = {}
    for rule in filter(None, (part.strip() for part in text.replace("\n", ";").split(";"))):
        model, _, rest = rule.partition("=")
        names = [model, *rest.split(",")]
        cards = [catalogue.find(name) for name in names]
        if unknown := [name.strip() for name, card in zip(names, cards, strict=True) if card is None]:
            raise SetupError(f"BABYCHAIN_FALLBACKS names {unknown}, which is no model; write model=model,model; ...")
        first, *others = (card for card in cards if card is not None)
        if wrong := [card.id for card in others if card.kind is not first.kind or card.id == first.id]:
            raise SetupError(f"BABYCHAIN_FALLBACKS: {wrong} cannot stand in for {first.id}.")
        fallbacks[first.id] = tuple(card.id for card in others)
    return replace(catalogue, fallbacks=fallbacks)


def _wanted(step: Step, input: Mapping[str, Any]) -> tuple[Any, Path]:
    name = f"{step.key}_model"
    models = input.get("chain_models")
    nested = models.get(name) if isinstance(models, dict) else None
    if nested is not None:
        return nested, ("chain_models", name)
    flat = input.get(name)
    return (flat if flat is not None else step.default_model), (name,)


def _choose(step: Step, wanted: Any, path: Path, catalogue: Catalogue, found: Findings) -> ModelCard | None:
    if not isinstance(wanted, str) or not wanted.strip() or "/" not in wanted:
        found.add(path, "must be a model id such as " + repr(step.default_model), "invalid_model_identifier")
        return None
    card = catalogue.find(wanted)
    if card is None:
        choices = ", ".join(catalogue.of_kind(step.kind))
        found.add(path, f"names no known model; {step.kind} models are {choices}", "unsupported_model_identifier")
        return None
    if (reason := _misfit(step, card)) is not None:
        found.add(path, reason)
        return None
    if not catalogue.is_offered(card):
        key = catalogue.key_names[card.provider]
        found.add(
            path,
            f"needs the key of {card.provider}, which this server has not; set {key} or choose another model",
            "babysea_not_configured" if catalogue.mode == "babysea" else "byok_credentials_missing",
        )
    return card


def _misfit(step: Step, card: ModelCard) -> str | None:
    if card.kind is not step.kind:
        return f"names a model for {card.kind}s; the step makes {step.kind}s"
    fed = bool(step.takes) or step.starts_from_picture
    if fed and card.inputs.maximum == 0:
        return "names a model that takes no input picture, which this step has"
    if not fed and card.inputs.minimum > 0:
        return "names a model that needs an input picture, which this step has not"
    return None


def _fallbacks(step: Step, card: ModelCard, path: Path, catalogue: Catalogue) -> Iterator[Choice]:
    """The caller did not name them, so what cannot be used is left out."""
    for name in catalogue.fallbacks.get(card.id, ()):
        spare = catalogue.find(name)
        if spare is not None and catalogue.is_offered(spare) and _misfit(step, spare) is None:
            yield Choice(spare, path, asked=False)

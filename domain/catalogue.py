"""The models this deployment knows, and which of them it can use."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.media import MediaKind
from domain.provider import ModelCard


@dataclass(frozen=True)
class Catalogue:
    models: Mapping[str, ModelCard]
    offered: frozenset[str]
    """Names of the providers whose key is set."""
    key_names: Mapping[str, str]
    """The environment variable that holds each provider's key."""
    mode: str
    webhooks_reach_us: bool
    fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Models that stand in for one that was named alone."""
    _by_name: dict[str, ModelCard] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for card in self.models.values():
            for name in (card.id, *card.aliases):
                self._by_name[name.lower()] = card

    def find(self, name: str) -> ModelCard | None:
        return self._by_name.get(name.strip().lower())

    def of_kind(self, kind: MediaKind) -> list[str]:
        return sorted(card.id for card in self.models.values() if card.kind is kind)

    def is_offered(self, card: ModelCard) -> bool:
        return card.provider in self.offered

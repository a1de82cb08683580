"""What a run can be found by: one rule for runs under way and for ended ones."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from domain.plan import MOST_TAGS, ChainPlan, is_searchable
from domain.runs import Snapshot


class LabelKind(StrEnum):
    STATUS = "status"
    TEMPLATE = "template"
    MODEL = "model"
    PROVIDER = "provider"
    TAG = "tag"
    METADATA = "metadata"


class Label(NamedTuple):
    kind: LabelKind
    value: str


def labels_of(plan: ChainPlan, snapshot: Snapshot) -> frozenset[Label]:
    """Models and providers are those of each step's first choice, and every other one that was tried."""
    chosen = [(step.candidates[0].model, step.candidates[0].provider) for step in plan.steps]
    tried = [(attempt.model, attempt.provider) for step in snapshot.steps for attempt in step.attempts]
    labels = {Label(LabelKind.STATUS, str(snapshot.status)), Label(LabelKind.TEMPLATE, plan.template)}
    for model, provider in chosen + tried:
        labels |= {Label(LabelKind.MODEL, model), Label(LabelKind.PROVIDER, provider)}
    labels |= {Label(LabelKind.TAG, tag) for tag in plan.tags}
    labels |= {Label(LabelKind.METADATA, pair) for pair in metadata_pairs(plan.metadata)}
    return frozenset(labels)


def metadata_pairs(metadata: Mapping[str, Any]) -> list[str]:
    """`key=value` of the first scalar keys. As search attributes they are not encrypted."""
    pairs = []
    for key, value in metadata.items():
        if isinstance(value, (str, int, float, bool)):
            text = f"{key}={str(value).lower() if isinstance(value, bool) else value}"
            if is_searchable(text):
                pairs.append(text)
    return pairs[:MOST_TAGS]

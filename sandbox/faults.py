"""Fault rules: which call fails, how, and how often. This file decides; `spoil.py`, `jobs.py`, `webhooks.py` and
`results.py` carry it out.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Operation = Literal["submit", "status", "result", "cancel", "upload", "webhook"]

_CALLS = frozenset({"submit", "status", "result", "cancel", "upload"})
_API_CALLS = _CALLS - {"result"}


@dataclass(frozen=True)
class _Kind:
    operations: frozenset[str]  # those it can befall
    default: str  # the one meant when a rule names none
    parameters: frozenset[str] = frozenset()


def _kind(operations: Collection[str], default: str, *parameters: str) -> _Kind:
    return _Kind(frozenset(operations), default, frozenset(parameters))


_ANSWERS = {  # one HTTP answer
    "status": _kind(_CALLS, "submit", "status", "headers", "body"),
    "refuse": _kind(_CALLS, "submit"),  # nothing listens where the client is sent
    "reset": _kind(_CALLS, "submit"),  # TCP RST in place of an answer
    "hang": _kind(_CALLS, "submit", "seconds"),  # no answer until the client gives up
    "slow": _kind(_CALLS, "submit", "seconds"),  # the true answer in drips
    "truncated": _kind(_CALLS, "submit", "declared"),  # half an answer
    "garbage": _kind(_CALLS, "submit"),
    "html": _kind(_CALLS, "submit", "status"),
    "wrong_type": _kind(_CALLS, "submit"),  # JSON values of other types; files with a false Content-Type
    "huge": _kind(_CALLS, "submit"),  # a body without an end
    "redirect": _kind(_CALLS, "submit", "location"),
    "bad_tls": _kind(_CALLS, "submit"),  # the handshake fails where the client is sent
    "error_in_200": _kind(_API_CALLS, "submit"),  # the provider's error body under status 200
    "no_job_id": _kind({"submit", "upload"}, "submit"),  # success, without saying of what
    "echo_key": _kind(_API_CALLS, "submit"),  # an error whose text repeats the caller's key
}
_JOBS = {  # one job; with operation `status`, one read of it
    "moderated": _kind({"submit", "status"}, "submit", "stage", "status", "item", "delay"),
    "failed": _kind({"submit", "status"}, "submit", "word", "status", "item", "delay"),
    "no_credit": _kind({"submit"}, "submit"),
    "never_ends": _kind({"submit", "status"}, "submit"),
    "unknown_status": _kind({"submit", "status"}, "submit", "word"),
    "status_back": _kind({"submit", "status"}, "submit"),  # every second read shows the state before
    "gone_after_success": _kind({"submit", "status"}, "submit"),
}
_WEBHOOKS = {  # one delivery
    "drop": _kind({"webhook"}, "webhook"),
    "double": _kind({"webhook"}, "webhook", "times"),
    "late": _kind({"webhook"}, "webhook", "delay"),
    "early": _kind({"webhook"}, "webhook"),  # the last notice before the submit's answer, in place of its time
    "forge": _kind({"webhook"}, "webhook"),  # a lie by someone without the secret; the true ones follow
    "reorder": _kind({"webhook"}, "webhook"),  # an earlier state after the last
    "bad_signature": _kind({"webhook"}, "webhook"),
    "replay": _kind({"webhook"}, "webhook", "delay"),  # the same bytes once more, later
}
_RESULTS = {  # one download
    "expired": _kind({"result"}, "result"),
    "empty": _kind({"result"}, "result"),
}
_KINDS = _ANSWERS | _JOBS | _WEBHOOKS | _RESULTS

ANSWERS = frozenset(_ANSWERS)
JOBS = frozenset(_JOBS)
CALLS = ANSWERS | JOBS | frozenset(_RESULTS)
CONNECTIONS = frozenset({"refuse", "bad_tls"})
NEED_AN_ID = frozenset(
    {"no_job_id", "unknown_status", "status_back", "gone_after_success"}
)  # not for synchronous calls
AT_ACCEPTANCE = frozenset({"early", "forge"})  # webhook kinds that act before the job has anything to report
ON_NOTICE = frozenset(_WEBHOOKS) - AT_ACCEPTANCE


class Rule(BaseModel):
    """One rule as it is put and shown. Parameters belong to kinds; one that does not fit its kind is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: str
    provider: str = "*"
    model: str = "*"
    operation: Operation = "submit"
    when: Literal["before", "after"] = "before"
    count: int = Field(default=1, ge=1)
    skip: int = Field(default=0, ge=0)

    status: int = Field(default=0, ge=0, le=599)  # 0: the kind's own default
    headers: dict[str, str] = {}
    body: Any = None
    location: str = ""
    declared: Literal["cut", "whole"] = "cut"  # what Content-Length a truncated answer claims
    seconds: float = Field(default=0, ge=0)
    delay: float | None = Field(default=None, ge=0)
    times: int = Field(default=2, ge=1)
    stage: Literal["input", "output"] = "output"
    word: str = ""
    item: int | None = None  # of several pictures asked in one call, the one that fails

    @model_validator(mode="before")
    @classmethod
    def _operation_follows_kind(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("kind") in _KINDS and "operation" not in data:
            return {**data, "operation": _KINDS[data["kind"]].default}
        return data

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "Rule":
        kind = _KINDS.get(self.kind)
        if kind is None:
            raise ValueError(f"unknown kind {self.kind!r}")
        if self.operation not in kind.operations:
            raise ValueError(f"kind {self.kind!r} does not befall operation {self.operation!r}")
        for name in sorted(self.model_fields_set - _COMMON - kind.parameters):
            raise ValueError(f"kind {self.kind!r} has no field {name!r}")
        needed = _NEEDED.get(self.kind)
        if needed is not None and needed not in self.model_fields_set:
            raise ValueError(f"kind {self.kind!r} needs field {needed!r}")
        return self


_COMMON = frozenset({"kind", "provider", "model", "operation", "when", "count", "skip"})
_NEEDED = {"status": "status", "redirect": "location"}


class BadRule(ValueError):
    """The message names the rule and what is wrong with it."""


@dataclass
class _Live:
    rule: Rule
    to_skip: int
    remaining: int


class Faults:
    def __init__(self, providers: Collection[str]) -> None:
        self._providers = frozenset(providers)
        self._live: list[_Live] = []

    def replace(self, rules: Any) -> None:
        """All or nothing: a list with one bad rule changes nothing."""
        if not isinstance(rules, list):
            raise BadRule("the body is a JSON list of rules")
        parsed = [self._parse(index, item) for index, item in enumerate(rules)]
        self._live = [_Live(rule, to_skip=rule.skip, remaining=rule.count) for rule in parsed]

    def shown(self) -> list[dict[str, Any]]:
        return [live.rule.model_dump(exclude_unset=True) | {"remaining": live.remaining} for live in self._live]

    def has(self, kind: str) -> bool:
        return any(live.rule.kind == kind for live in self._live)

    def take(self, provider: str, model: str, operation: Operation, kinds: Collection[str]) -> Rule | None:
        """The first live rule that matches, used up by one. `kinds` are those the caller can carry out."""
        for live in self._live:
            rule = live.rule
            matches = (
                live.remaining > 0
                and rule.operation == operation
                and rule.provider in ("*", provider)
                and rule.model in ("*", model)
                and rule.kind in kinds
            )
            if not matches:
                continue
            if live.to_skip > 0:
                live.to_skip -= 1
                continue
            live.remaining -= 1
            return rule
        return None

    def _parse(self, index: int, item: Any) -> Rule:
        try:
            rule = Rule.model_validate(item)
        except ValidationError as error:
            raise BadRule(f"rule {index}: {_first_problem(error.errors()[0])}") from error
        if rule.provider != "*" and rule.provider not in self._providers:
            raise BadRule(f"rule {index}: unknown provider {rule.provider!r}")
        return rule


def _first_problem(problem: Mapping[str, Any]) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"unknown field {name!r}"
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    if name == "operation":
        return f"field 'operation' is one of {', '.join(get_args(Operation))}"
    return f"field {name!r}: {problem['msg']}"

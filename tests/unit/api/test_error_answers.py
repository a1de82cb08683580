"""Every error has a status, one body, and somebody who raises it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import domain.errors
from api.errors import STATUS_BY_CLASS, STATUS_BY_CODE, body_of, status_of
from domain.errors import (
    AuthError,
    BabyChainError,
    ConflictError,
    Fault,
    LimitError,
    RequestError,
    SetupError,
    StepError,
    UnavailableError,
)
from domain.findings import CODES
from domain.guidance import guidance_for

ROOT = Path(domain.errors.__file__).parent.parent
SOURCES = [
    path for folder in ("api", "domain", "net", "storage", "providers") for path in (ROOT / folder).rglob("*.py")
]
NOT_YET_RAISED = {LimitError}
"""The contract's class for callers who ask too much."""


def classes(top: type[BabyChainError]) -> Iterator[type[BabyChainError]]:
    yield top
    for below in top.__subclasses__():
        yield from classes(below)


@cache
def words() -> set[str]:
    """Every string constant of the code that raises, without the table itself."""
    return {
        node.value
        for path in SOURCES
        for node in ast.walk(_without_table(ast.parse(path.read_text())))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def _without_table(module: ast.Module) -> ast.Module:
    module.body = [
        node
        for node in module.body
        if not (
            isinstance(node, ast.Assign) and any(getattr(name, "id", "") == "STATUS_BY_CODE" for name in node.targets)
        )
    ]
    return module


@cache
def raised() -> set[str]:
    """Names of everything that is called anywhere in the code."""
    return {
        node.func.id
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def test_every_class_of_the_api_has_a_status() -> None:
    own = {kind for kind in BabyChainError.__subclasses__() if kind.__module__ == "domain.errors"}
    assert set(STATUS_BY_CLASS) == own - {StepError}


@pytest.mark.parametrize("kind", [kind for kind in STATUS_BY_CLASS if kind not in NOT_YET_RAISED])
def test_every_class_of_the_table_is_raised_somewhere(kind: type[BabyChainError]) -> None:
    assert kind.__name__ in raised()


@pytest.mark.parametrize("code", STATUS_BY_CODE)
def test_every_code_of_the_table_is_used_somewhere(code: str) -> None:
    assert code in words()


def test_the_tree_that_is_drawn_is_the_tree_that_is() -> None:
    drawn = domain.errors.__doc__ or ""
    for kind in classes(BabyChainError):
        if kind.__module__ == "domain.errors":
            assert kind.__name__ in drawn


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (RequestError("x"), 400, "invalid_request_error"),
        (RequestError("x", code="invalid_chain_input"), 400, "invalid_request_error"),
        (RequestError("x", code="run_not_found"), 404, "invalid_request_error"),
        (RequestError("x", code="payload_too_large"), 413, "invalid_request_error"),
        (AuthError("x"), 401, "authentication_error"),
        (AuthError("x", code="insufficient_scope"), 403, "permission_error"),
        (AuthError("x", code="invalid_webhook_signature"), 400, "invalid_request_error"),
        (ConflictError("x"), 409, "idempotency_error"),
        (LimitError("x"), 429, "rate_limit_error"),
        (SetupError("x"), 500, "api_error"),
        (UnavailableError("x"), 503, "api_error"),
        (UnavailableError("x", code="database_unreachable"), 503, "api_error"),
        (BabyChainError("x"), 500, "api_error"),
    ],
)
def test_type_and_status_follow_from_class_and_code(error: BabyChainError, status: int, kind: str) -> None:
    assert status_of(error) == status
    body = body_of(error, None)["error"]
    assert (body["type"], body["code"]) == (kind, error.reason)


def test_faults_are_listed_by_field_and_with_their_paths() -> None:
    faults = [
        Fault(("input", "text_to_image_params", "width"), "must be smaller"),
        Fault(("input", "text_to_image_params", "seed"), "must be whole"),
        Fault(("input", "surprise"), "is not a field"),
    ]
    error = body_of(RequestError("Wrong.", code="invalid_chain_input", faults=faults), "r-1")["error"]
    assert list(error) == ["type", "code", "message", "details", "guidance", "errors", "request_id"]
    assert error["details"] == {
        "formErrors": [],
        "fieldErrors": {
            "text_to_image_params": [
                "input.text_to_image_params.width must be smaller",
                "input.text_to_image_params.seed must be whole",
            ],
            "surprise": ["input.surprise is not a field"],
        },
        "path": ["text_to_image_params", "width"],
    }
    assert error["errors"][0] == {"path": ["input", "text_to_image_params", "width"], "message": "must be smaller"}


def test_an_envelopes_faults_stand_under_its_own_fields() -> None:
    error = body_of(RequestError("Wrong.", faults=[Fault(("input", "a", 0), "is too long")]), None)["error"]
    assert error["details"]["fieldErrors"] == {"input": ["input.a.0 is too long"]}


def test_facts_are_the_details_of_other_errors() -> None:
    error = body_of(ConflictError("x", facts={"conflicts": ["input"]}), None)["error"]
    assert error["details"] == {"conflicts": ["input"]}
    assert "details" not in body_of(AuthError("x"), None)["error"]


def test_there_is_advice_for_every_end_of_a_step() -> None:
    # The deployment's own codes, and those that a caller asked for, need none.
    without = {"step_failed", "step_canceled"}
    codes = {kind.code for kind in classes(StepError) if kind.__module__ == "domain.errors"} - without
    assert {code for code in codes if guidance_for(code) is None} == set()


def test_the_planner_orders_every_code_it_gives() -> None:
    assert CODES[0] == "invalid_chain_input"
    assert {status_of(RequestError("x", code=code)) for code in CODES} == {400}

"""What of a caller's filters reaches the workflow server, and what the archive is asked."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api.listing import RunQuery, visibility_query
from api.operations import CancelMany
from domain.errors import SetupError
from domain.labels import Label, LabelKind
from domain.runs import RunStatus

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
_VALUES = st.text(min_size=1, max_size=30) | st.text("'\"\\ x=", min_size=1, max_size=10)


@given(_VALUES, _VALUES, _VALUES)
def test_no_value_can_change_the_query_it_stands_in(template: str, tag: str, pair: str) -> None:
    query = visibility_query("alice", RunQuery(template=template, tag=[tag], metadata=[f"{pair}="]), NOW)
    outside = re.sub(r"'[A-Za-z0-9_.:/=@+ -]*'", "?", query)
    assert outside.startswith("BabychainCaller = ? AND (ExecutionStatus = ? OR CloseTime > ? OR (")
    assert re.fullmatch(r"[A-Za-z ?=<>(),]*", outside)


@pytest.mark.parametrize("asked", [RunQuery, CancelMany])
def test_metadata_that_is_no_pair_is_refused_instead_of_finding_nothing(asked: type[RunQuery | CancelMany]) -> None:
    with pytest.raises(ValidationError, match="must be key=value"):
        asked.model_validate({"metadata": ["shop=1", "shop"]})


def test_a_caller_that_cannot_be_searched_by_is_said_and_not_left_out() -> None:
    with pytest.raises(SetupError):
        visibility_query("al'ice", RunQuery(), NOW)


def test_the_archive_is_not_asked_for_runs_under_way() -> None:
    assert RunQuery(status=[RunStatus.QUEUED, RunStatus.RUNNING]).ended("alice", NOW) is None
    mixed = RunQuery(status=[RunStatus.RUNNING, RunStatus.FAILED]).ended("alice", NOW)
    assert mixed is not None
    assert mixed.labels == {Label(LabelKind.STATUS, "failed")}
    assert not mixed.statuses
    several = RunQuery(status=[RunStatus.FAILED, RunStatus.CANCELED]).ended("alice", NOW)
    assert several is not None
    assert several.statuses == {"failed", "canceled"}
    assert not several.labels

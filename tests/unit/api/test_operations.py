"""Which runs a bulk cancel means."""

from uuid import UUID

import pytest
from pydantic import ValidationError

from api.operations import CancelMany, cancel_query
from domain.errors import RequestError

RUN = UUID("01a1fd35-90f3-7215-b468-4c17104be3bd")


def test_only_live_runs_of_the_caller_are_meant() -> None:
    query = cancel_query("key-1", CancelMany(ids=[RUN], tag=["spring"], metadata=["order=7"]))
    assert query == (
        "BabychainCaller = 'key-1' AND ExecutionStatus = 'Running' AND BabychainStatus IN ('queued', 'running')"
        f" AND WorkflowId IN ('{RUN}') AND BabychainTags = 'spring' AND BabychainMetadata = 'order=7'"
    )


def test_to_stop_everything_has_to_be_said() -> None:
    with pytest.raises(RequestError, match="which runs"):
        cancel_query("key-1", CancelMany())
    assert "WorkflowId" not in cancel_query("key-1", CancelMany(all=True))


@pytest.mark.parametrize("word", ["spring'", "a\\b", "a\nb", "a\n", '"', ""])
def test_a_word_that_the_server_might_misread_is_refused(word: str) -> None:
    for field in ({"tag": [word]}, {"template": word}, {"metadata": [word]}):
        with pytest.raises(ValidationError):
            CancelMany.model_validate(field)


def test_an_unknown_field_is_refused_since_it_would_not_narrow() -> None:
    with pytest.raises(ValidationError):
        CancelMany.model_validate({"modle": "bfl/flux-2-pro", "all": True})

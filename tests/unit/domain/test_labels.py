"""What a run can be found by."""

from datetime import UTC, datetime

from domain.labels import LabelKind, labels_of, metadata_pairs
from domain.runs import Attempt, AttemptOutcome, first_snapshot
from tests.support.plans import toy_plan


def test_a_run_is_found_by_first_choices_and_by_all_that_was_tried() -> None:
    plan = toy_plan(metadata={"tags": ["one", "nul\0"], "order": 7, "note": None})
    snapshot = first_snapshot(tuple(step.key for step in plan.steps), datetime.now(UTC))
    snapshot.steps[0].attempts = [Attempt(1, "other/model", "other", "A", AttemptOutcome.FAILED)]
    found = {
        kind: sorted(label.value for label in labels_of(plan, snapshot) if label.kind is kind) for kind in LabelKind
    }
    assert found == {
        LabelKind.STATUS: ["queued"],
        LabelKind.TEMPLATE: [plan.template],
        LabelKind.MODEL: ["other/model", "toy/image"],
        LabelKind.PROVIDER: ["other", "toy"],
        # PostgreSQL can't hold the other one.
        LabelKind.TAG: ["one"],
        LabelKind.METADATA: ["order=7"],
    }


def test_metadata_is_found_by_its_first_short_scalars() -> None:
    assert metadata_pairs({"a": True, "b": 1.5, "c": "x", "d": None, "e": [1], "f": {}}) == ["a=true", "b=1.5", "c=x"]
    assert metadata_pairs({"k": "x" * 198, "l": "x" * 199, "m": "nul\0"}) == ["k=" + "x" * 198]
    assert len(metadata_pairs({str(number): number for number in range(50)})) == 20

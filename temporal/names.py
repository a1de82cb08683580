"""Names on the wire: task queue, workflow types, search attributes. Changing one breaks running runs."""

from temporalio.common import SearchAttributeKey

TASK_QUEUE = "babychain"
AFTER_RUN = "after-run"
DELIVERY = "delivery"
DELETION = "deletion"
SWEEP = "sweep"

CALLER = SearchAttributeKey.for_keyword("BabychainCaller")
TEMPLATE = SearchAttributeKey.for_keyword("BabychainTemplate")
STATUS = SearchAttributeKey.for_keyword("BabychainStatus")
MODEL = SearchAttributeKey.for_keyword("BabychainModel")
PROVIDER = SearchAttributeKey.for_keyword("BabychainProvider")
JOB = SearchAttributeKey.for_keyword("BabychainJob")
REQUEST = SearchAttributeKey.for_keyword("BabychainRequest")
TAGS = SearchAttributeKey.for_keyword_list("BabychainTags")
METADATA = SearchAttributeKey.for_keyword_list("BabychainMetadata")

SEARCH_ATTRIBUTES = (CALLER, TEMPLATE, STATUS, MODEL, PROVIDER, JOB, REQUEST, TAGS, METADATA)


def after_run_id(run_id: str) -> str:
    return f"after-{run_id}"


def step_delivery_id(run_id: str, step: str) -> str:
    return f"{deliveries_of(run_id)}-{step}"


def resend_id(run_id: str, suffix: str) -> str:
    return f"{deliveries_of(run_id)}-resend-{suffix}"


def test_delivery_id(suffix: str) -> str:
    return f"delivery-test-{suffix}"


def deliveries_of(run_id: str) -> str:
    """What the id of every delivery workflow of this run begins with."""
    return f"delivery-{run_id}"


def deletion_id(run_id: str) -> str:
    return f"delete-{run_id}"

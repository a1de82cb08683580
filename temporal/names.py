"""Names on the wire: task queue, workflow types, search attributes. Changing one breaks running runs."""

from temporalio.common import SearchAttributeKey

TASK_QUEUE = "babychain"
AFTER_RUN = "after-run"

CALLER = SearchAttributeKey.for_keyword("BabychainCaller")
TEMPLATE = SearchAttributeKey.for_keyword("BabychainTemplate")
STATUS = SearchAttributeKey.for_keyword("BabychainStatus")
MODEL = SearchAttributeKey.for_keyword("BabychainModel")
PROVIDER = SearchAttributeKey.for_keyword("BabychainProvider")
JOB = SearchAttributeKey.for_keyword("BabychainJob")
TAGS = SearchAttributeKey.for_keyword_list("BabychainTags")
METADATA = SearchAttributeKey.for_keyword_list("BabychainMetadata")

SEARCH_ATTRIBUTES = (CALLER, TEMPLATE, STATUS, MODEL, PROVIDER, JOB, TAGS, METADATA)


def after_run_id(run_id: str) -> str:
    return f"after-{run_id}"

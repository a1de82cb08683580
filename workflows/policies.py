"""Every timeout and retry of the workflows, named."""

from datetime import timedelta

from temporalio.common import RetryPolicy

HEARTBEAT = timedelta(seconds=25)
"""A dead worker is noticed after this long. Much less, and a busy machine looks dead."""

BESIDES_THE_ANSWER = timedelta(seconds=45)
"""What a submit may take besides the time that its provider has to answer: the gate, the preparation, and the way of
its pictures. Cut off earlier, a job that was just being started would be given up as lost."""

CANCEL_WAIT = timedelta(seconds=12)
"""How long a cancel waits for a submit under way: it may have started a job, which is then canceled too."""

CANCEL_CALL = timedelta(seconds=12)
"""How long a provider may take to cancel a job. With CANCEL_WAIT a canceled run ends within 30 s."""

FIRST_RESEND_PAUSE = timedelta(seconds=2)
LONGEST_RESEND_PAUSE = timedelta(seconds=30)
"""Before a submit whose answer was lost goes out again under the same key: its job may just be starting."""

LOST_JOB_SEARCH = timedelta(minutes=10)
"""How long a lost job is looked up in a provider's list, which may be as unreachable as the submit was."""

MOST_STARTS = 3
"""How often one candidate is started, where a start came to nothing, or the caller takes the risk."""

LOST_JOB_REPORT = timedelta(minutes=10)
"""How long a lost job may take to introduce itself by webhook."""

SUBMIT_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=60),
    # Only what was refused is sent again. A time-out or an answer nobody can trust may have started a paid job.
    non_retryable_error_types=[
        "TemporalTimeout:StartToClose",
        "TemporalTimeout:Heartbeat",
        "start_outcome_unknown",
    ],
)

WATCH_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=2),
    backoff_coefficient=1.5,
    maximum_interval=timedelta(seconds=30),
)

COLLECT_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=30),
)

RECONCILE_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=3),
    backoff_coefficient=1.5,
    maximum_interval=timedelta(seconds=15),
)

CANCEL_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=3))

STORE_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))

AFTER_DEADLINE = timedelta(seconds=5)
COLLECT_TIMEOUT = timedelta(minutes=10)
WATCH_TIMEOUT = timedelta(minutes=10)
QUICK_CALL = timedelta(seconds=30)

DELIVERY_DELAYS = tuple(timedelta(seconds=seconds) for seconds in (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400))
"""0 s, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h: counted from the attempt before."""

LAST_RESORT = timedelta(hours=1)
"""The server ends a run this long after its own deadline, should the run not have ended itself."""

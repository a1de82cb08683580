"""What is broken at whom, and how each run must end: the sandbox's fault kinds, one model of each way to work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Subject:
    model: str
    then: str
    """Another provider's model, which may do the step if this one can't. BabySea's own mode has no other provider."""
    draws: str = ""
    """Who draws the picture for a model that needs one."""
    mode: str = "sandbox"


SEEDREAM, FLUX = "bytedance/seedream-4", "bfl/flux-2-pro"

DEPLOYMENTS: tuple[Mapping[str, Subject], ...] = (
    {
        "bfl": Subject("bfl/flux-2-flex", then=SEEDREAM),
        "relaydance": Subject(
            "relaydance/seedance-1-5-pro-with-audio", then="bytedance/seedance-1-pro", draws=SEEDREAM
        ),
        "bach": Subject("bach/bach-1.0-preview", then="bytedance/seedance-1-pro", draws=SEEDREAM),
        "bailian": Subject("bailian/wan2.6-i2v", then="bytedance/seedance-1-pro", draws=SEEDREAM),
    },
    {
        "seedream": Subject("bytedance/seedream-4.5", then=FLUX),
        "seedance": Subject(
            "bytedance/seedance-1.5-pro", then="relaydance/seedance-1-5-pro-no-audio", draws="bfl/flux-2-pro"
        ),
    },
    {"babysea": Subject("bfl/flux-2-flex", then="bytedance/seedream-4.5", mode="babysea")},
)
"""Who draws, and who takes over, is in no trouble: an account that is broken in one deployment is whole in another."""

SUBJECTS: dict[str, Subject] = {name: subject for some in DEPLOYMENTS for name, subject in some.items()}

OK, UNKNOWN = "succeeded", "start_outcome_unknown"
ADOPTED = {"seedream": UNKNOWN, "bailian": UNKNOWN}
"""Neither key, list nor webhook: whoever can't find a lost job again says so, and pays for no second."""
KEYED = {"babysea": OK}
"""The same idempotency key is sent until its answer is known."""
PATIENT = 60.0

_OF_THE_ACCOUNT = frozenset({"provider_unauthorized", "provider_quota_exceeded", "provider_network_error"})
_OF_THE_FILE = frozenset({"provider_output_invalid", "provider_output_expired"})
_CARRIED_ON = _OF_THE_ACCOUNT | _OF_THE_FILE | {"provider_not_found", "provider_failed"}
"""Certain ends of the first model, which another may not share."""


@dataclass(frozen=True)
class Case:
    rule: dict[str, Any]
    outcome: str = OK
    but: dict[str, str] = field(default_factory=dict)
    """Providers of another way, and their outcome."""
    deadline: float = PATIENT
    submit_timeout: float | None = None
    always: bool = False
    """It meets every call, not one of each run."""
    passes_by: frozenset[str] = frozenset()
    """Providers that this fault cannot befall."""

    @property
    def name(self) -> str:
        more = [str(self.rule[key]) for key in ("operation", "status", "when", "declared") if key in self.rule]
        return " ".join([self.rule["kind"], *more, *(["always"] if self.always else [])])

    @property
    def misleads(self) -> str | None:
        """The scheme under which the providers' address leads to a port that nobody, or nobody sane, listens on."""
        return {"refuse": "http", "bad_tls": "https"}.get(self.rule["kind"])

    def expected(self, name: str, *, listed: bool) -> str:
        """`listed`: another model stands after the first one."""
        alone = self.but.get(name, self.outcome)
        is_shared = SUBJECTS[name].mode == "babysea" and alone in _OF_THE_ACCOUNT
        return OK if listed and alone in _CARRIED_ON and not is_shared else alone

    def deadline_at(self, name: str) -> float:
        """A short one is for those who wait in vain."""
        return PATIENT if self.expected(name, listed=False) == OK else self.deadline

    def is_paid_for_nothing(self, name: str) -> bool:
        """The provider was paid for a file that is none: whoever makes another is paid as well."""
        return self.but.get(name, self.outcome) in _OF_THE_FILE


def lost(kind: str, but: Mapping[str, str] = {}, **more: Any) -> Case:
    """The job is made, and its answer comes to nothing."""
    return Case({"kind": kind, "when": "after"} | more, but={**ADOPTED, **but})


def unstarted(kind: str, **more: Any) -> Case:
    """Nothing is made, and the answer does not say so: the job is looked for until the step's deadline."""
    return Case({"kind": kind} | more, UNKNOWN, but=KEYED, deadline=4.0)


READS: dict[str, dict[str, Any]] = {"status": {"status": 500}} | {
    kind: {} for kind in ("reset", "truncated", "garbage", "html", "wrong_type", "unknown_status")
}
NO_WEBHOOK = frozenset({"seedream", "bailian"})
NO_JOB = frozenset({"seedream"})

CASES: tuple[Case, ...] = (
    *(
        Case({"kind": "status", "status": status}, code)
        for status, code in {
            400: "provider_invalid_request",
            401: "provider_unauthorized",
            402: "provider_quota_exceeded",
            404: "provider_not_found",
        }.items()
    ),
    Case({"kind": "status", "status": 429, "headers": {"retry-after": "1"}}),
    # Nobody was reached, so nothing was sent: it is tried again for as long as the model has time.
    Case({"kind": "refuse"}, "provider_network_error", deadline=4.0),
    Case({"kind": "bad_tls"}, "provider_network_error", deadline=4.0),
    unstarted("status", status=500),
    unstarted("reset"),
    lost("status", status=503),
    lost("reset"),
    Case({"kind": "hang", "when": "after", "seconds": 120.0}, but=ADOPTED, submit_timeout=1.0),
    lost("truncated"),
    lost("truncated", declared="whole"),
    lost("garbage"),
    lost("html"),
    lost("wrong_type"),
    lost("huge"),
    lost("redirect", location="http://127.0.0.1:9/elsewhere"),
    # A code in the body is how Bach says no: it is believed, as no job comes with it.
    lost("error_in_200", but={"bach": "provider_invalid_request"}),
    Case({"kind": "no_job_id", "when": "after"}, but=ADOPTED, passes_by=NO_JOB),
    Case({"kind": "echo_key"}, "provider_invalid_request"),
    Case({"kind": "slow", "seconds": 2.0}),
    # ---- the job
    Case({"kind": "moderated"}, "provider_content_moderated"),
    # A picture that is asked for and given in one call fails as HTTP 500, which may mean anything.
    Case({"kind": "failed"}, "provider_failed", but={"seedream": UNKNOWN}),
    Case({"kind": "no_credit"}, "provider_quota_exceeded"),
    Case({"kind": "never_ends"}, "step_running_timed_out", deadline=4.0, passes_by=NO_JOB),
    # A word that nobody knows is read for two minutes before it is given up.
    Case({"kind": "unknown_status"}, "provider_unexpected_response", deadline=300.0, passes_by=NO_JOB),
    Case({"kind": "status_back"}, passes_by=NO_JOB),
    Case({"kind": "gone_after_success"}, passes_by=NO_JOB),
    # ---- one read of the job
    *(Case({"kind": kind, "operation": "status", **more}, passes_by=NO_JOB) for kind, more in READS.items()),
    # Nobody saw the job end: whoever starts another one may pay twice.
    Case(
        {"kind": "status", "operation": "status", "status": 500},
        "provider_unavailable",
        deadline=4.0,
        always=True,
        passes_by=NO_JOB,
    ),
    # ---- the webhook
    *(
        Case({"kind": kind}, passes_by=NO_WEBHOOK)
        for kind in ("drop", "double", "late", "early", "forge", "reorder", "bad_signature", "replay")
    ),
    # ---- the file
    Case({"kind": "empty", "operation": "result"}, "provider_output_invalid"),
    # Once, and a look at the job gives a fresh link. This one is dead whenever it is asked for.
    Case({"kind": "expired", "operation": "result"}, "provider_output_expired", always=True),
    *(
        Case({"operation": "result", **rule})
        for rule in ({"kind": "status", "status": 500}, {"kind": "reset"}, {"kind": "truncated", "declared": "whole"})
    ),
)

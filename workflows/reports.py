"""What webhooks said, by step and attempt. They may come early, twice, late, or never."""

from activities.calls import AttemptRef
from domain.runs import ProviderReported

ALIVE = "running"
"""The status of a report that names a job and says no more than that it lives."""


class Reports:
    def __init__(self) -> None:
        self._nudges: dict[tuple[str, int], int] = {}
        self._jobs: dict[tuple[str, int], str] = {}

    def add(self, report: ProviderReported) -> None:
        key = (report.step, report.attempt)
        if report.job_id and key not in self._jobs:
            self._jobs[key] = report.job_id
        if report.status != ALIVE:
            self._nudges[key] = self._nudges.get(key, 0) + 1

    def nudges(self, of: AttemptRef) -> int:
        return self._nudges.get((of.step, of.attempt), 0)

    def claimed_job(self, of: AttemptRef) -> str | None:
        return self._jobs.get((of.step, of.attempt))

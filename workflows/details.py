"""What the Temporal Web UI shows a person about a run: which step waits for what."""

from domain.plan import ChainPlan
from domain.runs import AttemptOutcome, Snapshot, StepState, StepStatus

_MARKS = {
    StepStatus.QUEUED: "○",
    StepStatus.RUNNING: "◐",
    StepStatus.SUCCEEDED: "●",
    StepStatus.FAILED: "✕",
    StepStatus.CANCELED: "⊘",
    StepStatus.SKIPPED: "–",
}


def summary(plan: ChainPlan) -> str:
    """One line for lists: no prompt, no secret."""
    return f"{plan.template}: " + " → ".join(step.candidates[0].model for step in plan.steps)


def describe(plan: ChainPlan, snapshot: Snapshot) -> str:
    lines = [f"**{plan.template}** is **{snapshot.status}**"]
    if snapshot.error:
        lines.append(f"{snapshot.error.code}: {snapshot.error.message}")
    lines += [f"- {_MARKS[step.status]} `{step.key}` {_step(step)}" for step in snapshot.steps]
    return "\n\n".join(lines[: -len(snapshot.steps)]) + "\n\n" + "\n".join(lines[-len(snapshot.steps) :])


def _step(step: StepState) -> str:
    if not step.attempts:
        return str(step.status)
    last = step.attempts[-1]
    if last.outcome is AttemptOutcome.SUBMITTING:
        return f"is being submitted to {last.model}"
    if last.outcome is AttemptOutcome.RUNNING:
        return f"waits for {last.model}, job `{last.job}`" if last.job else f"waits for {last.model}"
    return f"{step.status} by {last.model}" + (f" ({last.error.code})" if last.error else "")

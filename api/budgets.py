"""Caps: what a caller's runs of a day and of a month may cost together, held even when many are created at once."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.callers import Caller
from domain.errors import LimitError
from domain.money import Micros, dollars
from domain.plan import ChainPlan
from storage.spending import Period, Spending
from workflows.policies import LAST_RESORT


@dataclass(frozen=True)
class Budgets:
    spending: Spending

    async def hold(self, plan: ChainPlan, caller: Caller) -> bool:
        """Set aside what this run may cost, or refuse it. Whether there is something to give back."""
        if caller.is_operator:
            return False
        daily, monthly = await self.spending.caps(caller.id)
        periods = _periods(daily, monthly, plan.created_at)
        if not periods:
            return False
        high = plan.cost.high
        if high is None:
            raise LimitError(
                "Nobody publishes what this run costs, and your key has a cap; choose models with a known price.",
                code="spend_cap_exceeded",
            )
        end = plan.created_at + timedelta(seconds=plan.deadline) + LAST_RESORT
        full = await self.spending.reserve(plan.run_id, caller.id, high, periods, plan.created_at, end)
        if full is not None:
            raise _too_much(*full, high, plan.created_at)
        return True

    async def give_back(self, plan: ChainPlan) -> None:
        """This create started no run: what it set aside is free again."""
        await self.spending.release(plan.run_id, plan.created_at)


def _periods(daily: Micros | None, monthly: Micros | None, now: datetime) -> list[Period]:
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    caps = (("day", daily, midnight), ("month", monthly, midnight.replace(day=1)))
    return [Period(name, cap, since) for name, cap, since in caps if cap is not None]


def _too_much(period: Period, taken: Micros, high: Micros, now: datetime) -> LimitError:
    ends = period.since + timedelta(days=1)
    if period.name == "month":
        ends = (period.since + timedelta(days=32)).replace(day=1)
    return LimitError(
        f"This run may cost {dollars(high)} USD; of the {dollars(period.cap)} USD a {period.name} that your caller may "
        f"spend, {dollars(taken)} are spent or set aside.",
        code="spend_cap_exceeded",
        retry_after=(ends - now).total_seconds(),
        facts={"period": period.name, "cap": dollars(period.cap), "taken": dollars(taken), "needed": dollars(high)},
    )

"""Find runs by a provider's job id or a caller's request id: in Temporal while they live, in the books after that."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.client import Client

from storage.lookups import Lookups, Trace
from temporal import names
from temporal.reading import RunReader

Json = dict[str, Any]

_MOST = 100
_RPC = timedelta(seconds=5)


@dataclass(frozen=True)
class Finder:
    client: Client
    runs: RunReader
    lookups: Lookups

    async def find(self, *, job: str | None, request_id: str | None) -> list[Json]:
        if job is not None:
            booked = await self.lookups.by_job(job)
            seen = await self._visible(names.JOB.name, job)
            traces = [await self._of_job(run_id, job) for run_id in seen] + booked
        else:
            booked = await self.lookups.by_request(request_id or "")
            traces = [Trace(run_id) for run_id in await self._visible(names.REQUEST.name, request_id or "")] + booked
        return [await self._shown(trace) for trace in dict.fromkeys(traces)]

    async def _visible(self, attribute: str, value: str) -> list[str]:
        # JSON's quoting is that of the query language too.
        query = f"{attribute} = {json.dumps(value, ensure_ascii=False)}"
        listed = self.client.list_workflows(query, limit=_MOST, rpc_timeout=_RPC)
        return [run.id async for run in listed]

    async def _of_job(self, run_id: str, job: str) -> Trace:
        run = await self.runs.read(run_id)
        steps = run.snapshot.steps if run else []
        attempts = [(step.key, one.n) for step in steps for one in step.attempts if one.job == job]
        return Trace(run_id, *attempts[0]) if attempts else Trace(run_id)

    async def _shown(self, trace: Trace) -> Json:
        shown: Json = {"object": "run_trace", "run_id": trace.run_id, "temporal_workflow_id": trace.run_id}
        if trace.step is not None:
            shown |= {"step_key": trace.step, "attempt": trace.attempt}
        return shown

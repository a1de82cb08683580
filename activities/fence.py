"""The fence before a paid request: a submit that the server has given up must send nothing.

A worker can be stopped and wake up minutes later. Just before the first byte it asks the server, which refuses a
heartbeat of an attempt that has timed out; then it looks at the monotonic clock, for the time the answer took. The
same heartbeat leaves a mark: a worker that dies without it has certainly sent nothing.

Heartbeats go through the raw call, one after another: the SDK's own are throttled and could come after the mark and
wipe it out. Once the mark is made the SDK's go out too, saying the same: it counts only its own, and cuts off a silent
attempt by itself, though the server knows better. So an attempt has to pass the fence within PREPARATION.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from temporalio import activity
from temporalio.api.common.v1 import Payloads
from temporalio.api.workflowservice.v1 import RecordActivityTaskHeartbeatRequest
from temporalio.client import Client
from temporalio.service import RPCError

from domain.errors import Refused

SENDING = "sending"
_PREPARING = "preparing"
_BEAT = timedelta(seconds=5)

PREPARATION = timedelta(seconds=20)
"""Within the heartbeat timeout, after which the SDK takes an attempt for dead that has not passed the fence."""


class Fence:
    def __init__(self, client: Client) -> None:
        info = activity.info()
        timeout = info.start_to_close_timeout or timedelta(minutes=1)
        self._client = client
        self._token = info.task_token
        self._gives_up = time.monotonic() + timeout.total_seconds()
        self._phase = _PREPARING
        self._one_at_a_time = asyncio.Lock()
        self._preparation = asyncio.timeout(PREPARATION.total_seconds())
        self.gave_up = False
        """It stopped the request: nothing that follows is the provider's word."""

    @property
    def passed(self) -> bool:
        """From here on the request may have been written."""
        return self._phase == SENDING

    @asynccontextmanager
    async def preparing(self) -> AsyncIterator[None]:
        """TimeoutError where the fence is not passed in time: pictures may be large, and their upload slow."""
        async with self._preparation:
            yield

    async def __call__(self) -> None:
        self._preparation.reschedule(None)
        self._phase = SENDING
        try:
            canceled = await self._beat()
        except RPCError as error:
            raise self._given_up() from error
        if canceled or time.monotonic() >= self._gives_up:
            raise self._given_up()

    async def take_back(self) -> None:
        """The request started nothing, so the mark goes: what befalls the next try must not be judged by it."""
        if not (self.passed or self.gave_up):
            return
        self._phase = _PREPARING
        activity.heartbeat(_PREPARING)  # the last word of the SDK's own, which it may yet send
        with suppress(RPCError):
            await self._beat()

    def _given_up(self) -> Refused:
        self._phase, self.gave_up = _PREPARING, True
        return Refused("The attempt was given up before its request was sent.")

    @asynccontextmanager
    async def beating(self, renew: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
        """Keep telling the server that this worker lives, and whether it has passed the fence; renew what it holds."""
        beats = asyncio.create_task(self._keep_beating(renew))
        try:
            yield
        finally:
            beats.cancel()

    async def _keep_beating(self, renew: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(_BEAT.total_seconds())
            if self.passed:
                activity.heartbeat(SENDING)
            try:
                await self._beat()
            except RPCError:
                activity.logger.warning("heartbeat_not_taken")
            await renew()

    async def _beat(self) -> bool:
        async with self._one_at_a_time:
            details = await self._client.data_converter.encode([self._phase])
            answer = await self._client.workflow_service.record_activity_task_heartbeat(
                RecordActivityTaskHeartbeatRequest(
                    namespace=self._client.namespace,
                    task_token=self._token,
                    details=Payloads(payloads=details),
                    identity=self._client.identity,
                ),
                timeout=timedelta(seconds=5),
            )
            return answer.cancel_requested

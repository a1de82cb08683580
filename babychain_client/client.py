"""The synchronous client. `async_client.py` is its twin; what both do stands in the modules they share."""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from httpx_sse import EventSource

from babychain_client import calls, following
from babychain_client.address import Address, keyed, naming, of_run
from babychain_client.exchange import PATIENCE, Call, Flow, Pause, Rates, exchange, read_json
from babychain_client.following import STREAM_PATIENCE, Following
from babychain_client.outputs import Busy, Output, Saving, outputs_of, pause, refuse
from babychain_client.states import Estimate, Event, Json, Page, RunState, rows

T = TypeVar("T")


class BabyChain:
    """`with BabyChain(url, key) as client: client.run("chain1", {...}).wait()`

    Without arguments address and key are those of BABYCHAIN_URL and BABYCHAIN_API_KEY. What may pass by itself is
    asked again, `tries` times in all, with the same idempotency key and as late as the API wants it. `http` brings
    proxies, certificates or timeouts of your own; whoever brings it closes it.
    """

    def __init__(
        self, url: str | None = None, key: str | None = None, *, tries: int = 5, http: httpx.Client | None = None
    ) -> None:
        self._address = Address.of(url, key)
        self._http = http or httpx.Client(timeout=PATIENCE)
        self._is_ours = http is None
        self._tries = tries
        self._rates = Rates()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        if self._is_ours:
            self._http.close()

    # ---- runs ---------------------------------------------------------------------------------------------------

    def run(
        self,
        chain: str,
        input: Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        webhook_url: str | None = None,
        max_cost: str | float | None = None,
        **options: Any,
    ) -> "Run":
        """Start a run. It goes on whatever becomes of this process; its id is known from here on."""
        body = calls.body(input, metadata=metadata, webhook_url=webhook_url, max_cost=max_cost, **options)
        call = calls.create(chain, body, idempotency_key)
        with keyed(call):
            return Run(self, self._ask(call, RunState.read))

    def estimate(self, chain: str, input: Mapping[str, Any], **options: Any) -> Estimate:
        """What such a run would cost and do. Every check of a run is made; nothing is started."""
        return self._ask(calls.estimate(chain, calls.body(input, **options)), Estimate.read)

    def get(self, run_id: str) -> "Run":
        return Run(self, self.state(run_id))

    def state(self, run_id: str) -> RunState:
        return self._ask(calls.get(run_id), RunState.read)

    def list_runs(
        self,
        *,
        status: str | list[str] | None = None,
        template: str | None = None,
        tag: str | list[str] | None = None,
        metadata: str | list[str] | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        **filters: Any,
    ) -> Iterator[RunState]:
        """Yours: those under way first, then the ended ones, the latest end first. Pages are fetched as needed."""
        asked = {"status": status, "template": template, "tag": tag, "metadata": metadata, **filters}
        asked |= {"created_after": created_after, "created_before": created_before}
        page = self._ask(calls.list_runs(None, asked), Page.read)
        yield from page.runs
        while page.next_cursor:
            page = self._ask(calls.list_runs(page.next_cursor, asked), Page.read)
            yield from page.runs

    def wait(self, run_id: str, timeout: float | None = None) -> RunState:
        """The run at its end, however it ended. Giving up (WaitTimeout, Ctrl-C) stops nothing and names the run."""
        with naming(run_id):
            return self._drive(following.wait(run_id, timeout, self._tries, self._rates))

    def stream(self, run_id: str, last_event_id: str | None = None) -> Iterator[Event]:
        """Each state the run has had and will have, up to its end; a stream that breaks off is taken up again."""
        listener = Following(run_id, self._tries, last_event_id)
        with naming(run_id):
            while not listener.done:
                try:
                    with self._listen(listener) as answer:
                        if listener.opened(answer):
                            for sse in EventSource(answer).iter_sse():
                                if event := listener.heard(sse):
                                    yield event
                except httpx.TransportError as error:
                    listener.broke_off(error)
                if not listener.done:
                    time.sleep(listener.pause())

    def cancel(self, run_id: str) -> RunState:
        """Stop it. A run that has ended is answered as it is."""
        return self._ask(calls.cancel(run_id), RunState.read)

    def retry(self, run_id: str, *, idempotency_key: str | None = None, **changes: Any) -> "Run":
        """A new run that reuses what the steps before `from_step` made; `input` holds what is to change."""
        call = calls.retry(run_id, changes, idempotency_key)
        with keyed(call):
            return Run(self, self._ask(call, RunState.read))

    def delete(self, run_id: str) -> None:
        """An ended run, for good, with its files."""
        self._drive(exchange(calls.delete(run_id), self._tries, self._rates))

    def download(self, run: str | RunState, folder: str | Path) -> list[Path]:
        """Every file that the run has made so far, each named by its step. Answers where they are."""
        state = self.state(run) if isinstance(run, str) else run
        with of_run(state.id):
            return [self._save(output, Path(folder)) for output in outputs_of(state)]

    # ---- the rest -----------------------------------------------------------------------------------------------

    def upload(self, file: str | Path) -> str:
        """A picture to start from. Answers the id that an input takes in place of an address."""
        return self._ask(calls.upload(Path(file)), lambda made: str(made["id"]))

    def deliveries(self, run_id: str) -> list[Json]:
        return self._ask(calls.deliveries(run_id), rows)

    def resend_callback(self, run_id: str, step: str | None = None, *, idempotency_key: str | None = None) -> Json:
        """The callback of the run's end, or a step's, once more: the same bytes under the same event id."""
        call = calls.resend(run_id, step, idempotency_key)
        with keyed(call):
            return self._ask(call, dict)

    def send_test_callback(self, url: str, *, idempotency_key: str | None = None) -> Json:
        """One signed event that tells of no run. What the receiver answered stands in its `attempts`."""
        call = calls.send_test(url, idempotency_key)
        with keyed(call):
            return self._ask(call, dict)

    def templates(self) -> list[Json]:
        return self._ask(calls.templates(), rows)

    def models(self) -> list[Json]:
        return self._ask(calls.models(), rows)

    def model(self, name: str) -> Json:
        """Its parameters as a JSON Schema, and what else a request has to keep to."""
        return self._ask(calls.model(name), dict)

    # ---- inside -------------------------------------------------------------------------------------------------

    def _ask(self, call: Call, read: Callable[[Any], T]) -> T:
        return self._drive(read_json(call, self._tries, self._rates, read))

    def _drive(self, flow: Flow[T]) -> T:
        try:
            asked = next(flow)
            while True:
                if isinstance(asked, Pause):
                    time.sleep(asked.seconds)
                    asked = flow.send(None)
                    continue
                try:
                    answer = self._http.request(**self._address.request(asked))
                except httpx.TransportError as error:
                    asked = flow.throw(error)
                else:
                    asked = flow.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result

    @contextmanager
    def _listen(self, listener: Following) -> Iterator[httpx.Response]:
        asked = self._address.listening(listener, STREAM_PATIENCE)
        with self._http.stream(**asked) as answer:
            if not answer.is_success:
                answer.read()
            yield answer

    def _save(self, output: Output, folder: Path) -> Path:
        for number in itertools.count(1):
            try:
                return self._fetch(output, folder)
            except (httpx.TransportError, Busy) as error:
                time.sleep(pause(output, error, number, self._tries))
        raise AssertionError("unreachable")

    def _fetch(self, output: Output, folder: Path) -> Path:
        # The link is its own permission: no key goes along.
        with Saving(output, folder) as saving, self._http.stream("GET", output.url) as answer:
            refuse(output, answer)
            for chunk in answer.iter_bytes():
                saving.write(chunk)
            return saving.finish(answer)


class Run:
    """A run that was started or found: its id, its last known state, and what can be done with it."""

    def __init__(self, client: BabyChain, state: RunState) -> None:
        self._client = client
        self.id = state.id
        self.state = state

    def refresh(self) -> RunState:
        self.state = self._client.state(self.id)
        return self.state

    def wait(self, timeout: float | None = None) -> RunState:
        """See `BabyChain.wait`."""
        self.state = self._client.wait(self.id, timeout)
        return self.state

    def stream(self) -> Iterator[Event]:
        """See `BabyChain.stream`."""
        for event in self._client.stream(self.id):
            self.state = event.run or self.state
            yield event

    def download(self, folder: str | Path) -> list[Path]:
        return self._client.download(self.id, folder)

    def cancel(self) -> RunState:
        self.state = self._client.cancel(self.id)
        return self.state

    def retry(self, *, idempotency_key: str | None = None, **changes: Any) -> "Run":
        """See `BabyChain.retry`."""
        return self._client.retry(self.id, idempotency_key=idempotency_key, **changes)

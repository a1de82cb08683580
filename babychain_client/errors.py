"""Everything this package raises.

BabyChainError
├── ApiError                the API refused
│   ├── InvalidRequest      400, 405, 413, 415, 416: `faults` names every fault with its path
│   ├── NotAllowed          401, 403
│   ├── NotFound            404
│   ├── Conflict            409
│   ├── TooManyRequests     429, once the repeats are used up
│   └── ServiceUnavailable  5xx, once the repeats are used up
├── ConnectionFailed        no answer of the API came, however often we asked
├── WaitTimeout             also a TimeoutError: the run goes on
├── RunNotSucceeded         from `require_success()`: the run failed or was canceled
├── DownloadFailed          a file did not come whole
└── WebhookInvalid          a callback that its signature does not cover
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import httpx

if TYPE_CHECKING:
    from babychain_client.states import RunState


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a request, and where it stands."""

    path: tuple[str | int, ...]
    message: str

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        return cls(tuple(data.get("path", ())), str(data.get("message", "")))

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.path))} {self.message}".strip()


class BabyChainError(Exception):
    run_id: str | None = None
    """The run it happened to, wherever there is one."""


class ApiError(BabyChainError):
    def __init__(self, status: int, error: Mapping[str, Any], retry_after: float | None = None) -> None:
        self.status = status
        self.code = str(error.get("code", "unknown"))
        self.message = str(error.get("message", f"The API answered {status}."))
        self.faults = tuple(map(Fault.read, error.get("errors", ())))
        self.details: Mapping[str, Any] = error.get("details", {})
        self.guidance: Mapping[str, Any] = error.get("guidance", {})
        self.request_id: str | None = error.get("request_id")
        self.retry_after = retry_after
        super().__init__(self.message, *map(str, self.faults))

    def __str__(self) -> str:
        """Every fault once: the only one of a request is often the message itself."""
        further = [said for said in map(str, self.faults) if said not in self.message]
        return "\n  ".join([f"{self.message} ({self.code})", *further])


class InvalidRequest(ApiError): ...


class NotAllowed(ApiError): ...


class NotFound(ApiError): ...


class Conflict(ApiError): ...


class TooManyRequests(ApiError): ...


class ServiceUnavailable(ApiError): ...


class ConnectionFailed(BabyChainError):
    """Where a create failed so, the run may have been started: repeat it with the same `idempotency_key`."""

    def __init__(self, message: str, idempotency_key: str | None = None, *, unreached: bool = False) -> None:
        self.idempotency_key = idempotency_key
        self.unreached = unreached
        """Nothing was there to connect to, or not in time."""
        super().__init__(message)


class WaitTimeout(BabyChainError, TimeoutError):
    def __init__(self, state: "RunState", seconds: float) -> None:
        self.run_id = state.id
        self.state = state
        super().__init__(f"After {seconds:g} s the run is still {state.status}. {goes_on(state.id)}")


class RunNotSucceeded(BabyChainError):
    def __init__(self, state: "RunState") -> None:
        self.run_id = state.id
        self.state = state
        said = f": {state.error.message} ({state.error.code})" if state.error else "."
        super().__init__(f"Run {state.id} is {state.status}{said}")


class DownloadFailed(BabyChainError): ...


class WebhookInvalid(BabyChainError): ...


_BY_STATUS: dict[int, type[ApiError]] = {
    401: NotAllowed,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    429: TooManyRequests,
}


def read_error(answer: httpx.Response) -> ApiError:
    """A proxy in between may answer with something that is not ours."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        said = f"{origin(answer.url)} answered {answer.status_code}, and not in BabyChain's words: is it the API?"
        error = {"message": said}
    kind = _BY_STATUS.get(answer.status_code, ServiceUnavailable if answer.is_server_error else InvalidRequest)
    seconds = answer.headers.get("retry-after", "")
    return kind(answer.status_code, error, float(seconds) if seconds.isdecimal() else None)


def origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def goes_on(run_id: str) -> str:
    return f"Run {run_id} goes on: wait for it again, or cancel it, by this id."


def tell_run(error: BaseException, run_id: str) -> None:
    """Ctrl-C, a cancelled task and a lost connection end a wait, not the run: whoever sees them learns its id."""
    error.run_id = run_id  # type: ignore[attr-defined]
    error.add_note(goes_on(run_id))

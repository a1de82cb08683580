"""The faults and warnings of one request, gathered so that all are told at once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from domain.errors import Fault, RequestError
from domain.forbidden import looks_like_a_key

Path = tuple[str | int, ...]

CODES = (
    "invalid_chain_input",
    "invalid_model_identifier",
    "unsupported_model_identifier",
    "byok_credentials_missing",
    "babysea_not_configured",
)


@dataclass
class Findings:
    """The code of the answer is that of the check that comes first in the contract."""

    faults: list[tuple[str, Fault]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, path: Path, message: str, code: str = "invalid_chain_input") -> None:
        """One fault a place: what was said first is the reason, what follows from it is noise."""
        here = ("input", *path)
        if all(fault.path != here for _, fault in self.faults):
            self.faults.append((code, Fault(here, message)))

    def raise_if_any(self) -> None:
        if not self.faults:
            return
        code = min((code for code, _ in self.faults), key=CODES.index)
        faults = without_keys([fault for _, fault in self.faults])
        if len(faults) == 1:
            fault = faults[0]
            raise RequestError(f"{'.'.join(map(str, fault.path))} {fault.message}.", code=code, faults=faults)
        raise RequestError("The request has several faults; see errors.", code=code, faults=faults)


@dataclass
class Refusals:
    """What one check after another refuses, raised once: the first has the word, the faults of all are told."""

    errors: list[RequestError] = field(default_factory=list)

    @contextmanager
    def gathered(self) -> Iterator[None]:
        try:
            yield
        except RequestError as error:
            self.errors.append(error)

    def together(self) -> RequestError:
        first = self.errors[0]
        if len(self.errors) == 1:
            return first
        faults: list[Fault] = []
        for error in self.errors:
            told = {fault.path for fault in faults}
            faults += [fault for fault in error.faults if fault.path not in told]
        return RequestError(first.message, code=first.reason, facts=first.facts, faults=faults)


def without_keys(faults: Sequence[Fault]) -> list[Fault]:
    """A field's name may be the key itself, and a path would repeat it."""
    return [
        Fault(tuple("[hidden]" if looks_like_a_key(part) else part for part in fault.path), fault.message)
        for fault in faults
    ]

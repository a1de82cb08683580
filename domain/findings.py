"""The faults and warnings of one request, gathered so that all are told at once."""

from dataclasses import dataclass, field

from domain.errors import Fault, RequestError

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
        faults = [fault for _, fault in self.faults]
        if len(faults) == 1:
            fault = faults[0]
            raise RequestError(f"{'.'.join(map(str, fault.path))} {fault.message}.", code=code, faults=faults)
        raise RequestError(f"The request has {len(faults)} faults; see errors.", code=code, faults=faults)

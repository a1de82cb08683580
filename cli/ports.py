"""Which ports we need, and whether they are free, asked before anything is started."""

import socket
from collections.abc import Iterable
from dataclasses import dataclass

from cli.failures import CommandFailed, Misused

LAST_PORT = 65535


@dataclass(frozen=True)
class Port:
    number: int
    purpose: str
    variable: str
    """The environment variable that chooses another one."""


def port_of(given: str | None, variable: str, otherwise: int) -> int:
    """What an environment variable says, if it says something."""
    if not given:
        return otherwise
    if not (given.isascii() and given.isdecimal() and 0 < int(given) <= LAST_PORT):
        raise Misused(f"{variable} is no port: one is a number from 1 to {LAST_PORT}.")
    return int(given)


def check_free(ports: Iterable[Port]) -> None:
    taken = [port for port in ports if not _is_free(port.number)]
    if not taken:
        return
    said = [f"Port {port.number} ({port.purpose}) is in use; {port.variable} chooses another one." for port in taken]
    raise CommandFailed("\n".join([*said, "Or stop what runs there: perhaps an earlier 'make dev'."]))


def _is_free(number: int) -> bool:
    with socket.socket() as probe:
        # A port that was closed a moment ago is free for a server, which asks in the same way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return False
        return True

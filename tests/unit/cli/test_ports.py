"""Ports are looked at before anything is started."""

import socket

import pytest

from cli.failures import CommandFailed, Misused
from cli.ports import Port, check_free, port_of


def test_a_taken_port_is_named_with_the_variable_that_moves_it() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        number = listening.getsockname()[1]
        with pytest.raises(CommandFailed, match=rf"Port {number} \(API\) is in use; BABYCHAIN_API_PORT chooses"):
            check_free([Port(number, "API", "BABYCHAIN_API_PORT")])
    check_free([Port(number, "API", "BABYCHAIN_API_PORT")])


@pytest.mark.parametrize("given", ["abc", "0", "65536", "-1", "٣"])
def test_what_is_no_port_is_a_wrong_command_line_and_names_its_variable(given: str) -> None:
    with pytest.raises(Misused, match="BABYCHAIN_API_PORT is no port"):
        port_of(given, "BABYCHAIN_API_PORT", 8000)
    assert port_of("", "BABYCHAIN_API_PORT", 8000) == 8000

"""Ports are looked at before anything is started."""

import socket

import pytest

from cli.failures import CommandFailed
from cli.ports import Port, check_free


def test_a_taken_port_is_named_with_the_variable_that_moves_it() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        number = listening.getsockname()[1]
        with pytest.raises(CommandFailed, match=rf"Port {number} \(API\) is in use; BABYCHAIN_API_PORT chooses"):
            check_free([Port(number, "API", "BABYCHAIN_API_PORT")])
    check_free([Port(number, "API", "BABYCHAIN_API_PORT")])

"""What an error of the API says of itself."""

from typing import Any

from babychain_client import InvalidRequest


def refused(message: str, *faults: tuple[str, str]) -> str:
    errors: list[Any] = [{"path": ["input", name], "message": said} for name, said in faults]
    return str(InvalidRequest(400, {"code": "invalid_chain_input", "message": message, "errors": errors}))


def test_every_fault_is_said_once() -> None:
    one = refused("input.width must be an integer.", ("width", "must be an integer"))
    assert one == "input.width must be an integer. (invalid_chain_input)"
    two = refused("The request has several faults; see errors.", ("a", "is wrong"), ("b", "is wrong"))
    assert two.splitlines()[1:] == ["  input.a is wrong", "  input.b is wrong"]

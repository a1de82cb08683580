"""The shape of a JSON answer: its keys and the types of its values, which is all that a transcript keeps of one."""

from collections.abc import Iterator
from typing import Any

_TYPES: dict[type, str] = {bool: "bool", int: "number", float: "number", str: "text", type(None): "null"}


def shape_of(value: Any) -> Any:
    """No value of an answer is in it, so there is nothing to redact. A list has the shape of its first item."""
    if isinstance(value, dict):
        return {str(name): shape_of(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape_of(item) for item in value[:1]]
    return _TYPES.get(type(value), "unknown")


def differences(real: Any, simulated: Any, place: str = "") -> Iterator[str]:
    """What one has and the other lacks, by its place in the answer."""
    if isinstance(real, dict) and isinstance(simulated, dict):
        for name in sorted(real.keys() | simulated.keys()):
            path = f"{place}.{name}" if place else name
            if name not in simulated:
                yield f"{path}: the simulator lacks it"
            elif name not in real:
                yield f"{path}: only the simulator has it"
            else:
                yield from differences(real[name], simulated[name], path)
    elif isinstance(real, list) and isinstance(simulated, list):
        if real and simulated:
            yield from differences(real[0], simulated[0], f"{place}[]")
    elif real != simulated:
        yield f"{place or 'the answer'}: {_name(real)} there, {_name(simulated)} in the simulator"


def _name(shape: Any) -> str:
    if isinstance(shape, dict):
        return "object"
    return "list" if isinstance(shape, list) else str(shape)

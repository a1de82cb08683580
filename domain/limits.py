"""How big a request may be: the contract's limits on free JSON, counted without recursion."""

import json
import math
from typing import Any

from domain.errors import Fault

BODY_BYTES = 262_144
INPUT_BYTES = 65_536
METADATA_BYTES = 16_384
DEPTH = 12
KEYS = 200
ITEMS = 100
NODES = 1_000
STRING_BYTES = 8_192


def check_size(value: Any, name: str, most: int) -> list[Fault]:
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "replace"))
    return [Fault((name,), f"is {size} bytes as JSON; at most {most} are accepted")] if size > most else []


def check_shape(value: Any, name: str, *, string_bytes: int = STRING_BYTES) -> list[Fault]:
    """Depth, keys, items, nodes, string lengths, finite numbers. Stops at the first limit that bounds the walk."""
    faults: list[Fault] = []
    keys = nodes = 0
    todo: list[tuple[tuple[str | int, ...], Any, int]] = [((name,), value, 1)]
    while todo:
        path, node, depth = todo.pop()
        nodes += 1
        if nodes > NODES:
            return [*faults, Fault((name,), f"holds more than {NODES} values")]
        if depth > DEPTH and isinstance(node, (dict, list)):
            return [*faults, Fault(path, f"is nested more than {DEPTH} levels deep")]
        if isinstance(node, dict):
            keys += len(node)
            if keys > KEYS:
                return [*faults, Fault((name,), f"holds more than {KEYS} keys")]
            # The path of such a key would not fit into an answer either, so its object is named.
            if strange := [fault for key in node for fault in _check_string(path, key, STRING_BYTES)]:
                return [*faults, Fault(path, f"holds a key that {strange[0].message}")]
            todo.extend(((*path, key), child, depth + 1) for key, child in reversed(node.items()))
        elif isinstance(node, list):
            if len(node) > ITEMS:
                return [*faults, Fault(path, f"has {len(node)} items; at most {ITEMS} are accepted")]
            todo.extend(((*path, index), child, depth + 1) for index, child in reversed(list(enumerate(node))))
        elif isinstance(node, str):
            faults.extend(_check_string(path, node, string_bytes))
        elif isinstance(node, float) and not math.isfinite(node):
            faults.append(Fault(path, "is not a finite number"))
    return faults


def _check_string(path: tuple[str | int, ...], text: str, most: int) -> list[Fault]:
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        return [Fault(path, "is not valid Unicode text")]
    return [Fault(path, f"is {size} bytes long; at most {most} are accepted")] if size > most else []

"""What a test that hangs is waiting for. Threads, which pytest-timeout shows, say nothing of tasks."""

import asyncio
import gc
import inspect
from typing import Any


def unfinished_tasks() -> str:
    # The loop has been stopped in the middle, and only a running one can be asked for its tasks.
    found = [thing for thing in gc.get_objects() if isinstance(thing, asyncio.Task) and not thing.done()]
    return "\n".join(f"{task.get_name()}\n{_waits(task.get_coro())}" for task in found)


def _waits(awaited: Any) -> str:
    """Where a suspended coroutine stands, down to what it really waits for; `print_stack` shows the first frame."""
    lines = []
    while inspect.iscoroutine(awaited) and awaited.cr_frame is not None:
        lines.append(f"  {awaited.cr_code.co_filename}:{awaited.cr_frame.f_lineno} in {awaited.cr_code.co_qualname}")
        awaited = awaited.cr_await
    return "\n".join([*lines, f"  {awaited!r}"])

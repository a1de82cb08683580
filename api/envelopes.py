"""The envelope of internal endpoints: webhooks, cron, health."""

from datetime import UTC, datetime
from typing import Any

from fastapi.responses import JSONResponse


def envelope(data: dict[str, Any], status: int = 200) -> JSONResponse:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    word = "success" if status < 400 else "error"
    body = {"status": word, "data": data, "timestamp": now}
    return JSONResponse(body, status, {"cache-control": "no-store"})

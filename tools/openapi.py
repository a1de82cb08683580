"""`python -m tools.openapi`: write docs/openapi.json, which is what the service itself serves at /openapi.json."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from temporalio.client import Client

from api.main import build
from settings import Settings

TARGET = Path(__file__).parent.parent / "docs" / "openapi.json"


async def document() -> dict[str, Any]:
    """Of a deployment with every model. Nothing is asked of Temporal."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_validate(
            {
                "secret": "only-to-write-a-document",
                "api_key": "only-to-write-a-document",
                "callback_secret": "only-to-write-a-document",
                "provider_mode": "sandbox",
                "data_dir": Path(folder),
            }
        )
        app = build(settings, await Client.connect("127.0.0.1:7233", lazy=True))
        async with app.router.lifespan_context(app):
            return app.openapi()


def written(made: dict[str, Any]) -> str:
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(written(asyncio.run(document())), "utf-8")

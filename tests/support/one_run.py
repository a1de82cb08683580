"""`python -m tests.support.one_run <model>`: a picture by this model made into a video, through a whole service.

Prints the ended run. Temporal is where TEMPORAL_ADDRESS says; everything else starts and ends here.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from temporal.connection import connect
from tests.support.bodies import SEEDANCE
from tests.support.service import running_service


async def main(model: str) -> None:
    body = {
        "input": {
            "chain_models": {"text_to_image_model": model, "image_to_video_model": SEEDANCE},
            "text_to_image_params": {"generation_prompt": "a paper boat"},
            "image_to_video_params": {"generation_prompt": "waves roll"},
        }
    }
    with tempfile.TemporaryDirectory() as folder:
        async with running_service(await connect(), Path(folder)) as service:
            created = await service.create("chain1", body)
            run = await service.ended(created["id"])
    sys.stdout.write(f"\n{json.dumps(run)}\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

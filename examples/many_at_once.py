"""Several runs side by side: one that fails stops no other, and none costs more than was said."""

import asyncio

from babychain_client import AsyncBabyChain, BabyChainError

SCENES = ["a paper boat", "a glass whale", "a fox of copper"]


async def film(client: AsyncBabyChain, scene: str) -> str:
    try:
        run = await client.run(
            "chain1",
            {"text_to_image_prompt": scene, "image_to_video_prompt": f"{scene}, slowly turning"},
            metadata={"tags": ["many-at-once"]},
            max_cost="2.00",
        )
        ended = await run.wait(timeout=600)
    except BabyChainError as error:
        # Where a run was started, the error knows its id.
        return f"{scene}: {error} {error.run_id or ''}"
    return f"{scene}: {ended.status} {' '.join(ended.outputs)}"


async def main() -> None:
    async with AsyncBabyChain() as client:
        for told in await asyncio.gather(*(film(client, scene) for scene in SCENES)):
            print(told)


asyncio.run(main())

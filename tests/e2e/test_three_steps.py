"""The longest chain, from the caller's words to what each provider got and the one callback at the end."""

import json

from temporal import names
from tests.support.bodies import FLUX
from tests.support.service import Service


async def test_a_picture_is_restyled_by_its_own_prompt_filmed_and_told_of_once(service: Service) -> None:
    body = {
        "input": {
            "chain_models": {"text_to_image_model": FLUX, "image_to_image_model": FLUX},
            "text_to_image_prompt": "a heron in three steps",
            "image_to_image_prompt": "the same in ink, in three steps",
            "image_to_video_prompt": "it flies off, in three steps",
        },
        "webhook_url": service.hook,
    }
    created = await service.create("chain3", body)
    [call] = await service.callbacks(created["id"])
    run = await service.get(created["id"])
    assert json.loads(call.body) == run
    drawn, restyled, filmed = run["steps"]

    first, second, third = [row["body"] for row in await service.submits(prompt="in three steps")]
    assert "input_image" not in first
    assert second["prompt"] == "the same in ink, in three steps"
    assert second["input_image"] == drawn["generation_output_file"][0]
    assert third["content"][-1]["image_url"]["url"] == restyled["generation_output_file"][0]
    assert filmed["generation_output_file"]

    await service.client.get_workflow_handle(names.after_run_id(created["id"])).result()
    assert len(await service.callbacks(created["id"])) == 1

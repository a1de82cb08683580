"""Watch a run: every state it goes through, and in between what it waits for."""

from babychain_client import BabyChain

with BabyChain() as client:
    run = client.run("chain1", {"text_to_image_prompt": "a lighthouse", "image_to_video_prompt": "its light turns"})
    for event in run.stream():
        if event.run is not None:
            print("  ".join(f"{step.key}: {step.status}" for step in event.run.steps))
        elif event.kind == "waiting" and (waiting := event.data["waiting_on"]):
            print("…", waiting["message"])
    print("The run has", run.state.status)

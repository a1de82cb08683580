"""One clip from two sentences: start a chain, wait for its end, keep the files."""

import sys
from pathlib import Path

from babychain_client import BabyChain, RunNotSucceeded

INPUT = {
    "chain_models": {
        "text_to_image_model": "bfl/flux-2-flex",
        "image_to_video_model": "bytedance/seedance-1.5-pro",
    },
    "text_to_image_prompt": "a paper boat on a copper sea",
    "image_to_video_prompt": "waves roll, the camera drifts to the left",
    "video_duration": 4,
}

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "clip")

# Address and key are those of BABYCHAIN_URL and BABYCHAIN_API_KEY.
with BabyChain() as client:
    print("It may cost", client.estimate("chain1", INPUT).cost)
    # The same key is the same run: started again after a crash, this pays nothing twice.
    run = client.run("chain1", INPUT, max_cost="2.00", idempotency_key=f"clip-{folder.name}")
    print("Run", run.id)
    try:
        run.wait().require_success()
    except RunNotSucceeded as failed:
        sys.exit(str(failed))
    for file in run.download(folder):
        print(file)

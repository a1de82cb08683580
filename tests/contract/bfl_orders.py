"""What the tests order from Black Forest Labs."""

from domain.media import InputFile
from domain.provider import Job
from providers.bfl.models import MODELS

PRO = MODELS["bfl/flux-2-pro"]
PROMPT = {"prompt": "a paper boat"}
BYTES = InputFile(data=b"\x89PNG", media_type="image/png")
JOB = Job("5f0f0c1e", {}, cost=30_000)

"""What the tests order from Bach."""

from domain.media import InputFile
from providers.bach import MODELS
from tests.contract.adapters import request

MODEL = MODELS["bach/bach-1.0-preview"]
PROMPT = {"prompt": "slow push-in on the lighthouse"}
ADDRESS = InputFile(url="https://example.com/a.png")
TASK = "b7d0f3a2-5a51-4a7e-9c9f-0f5f8f6c1d10"
ORDER = request(MODEL, PROMPT, ADDRESS)

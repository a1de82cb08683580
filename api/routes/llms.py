"""/llms.txt: how to use this deployment, for language models (llmstxt.org)."""

from collections.abc import Iterable
from string import Template

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from api.services import Held
from domain.chains import ChainTemplate

router = APIRouter(tags=["catalogue"])

_TEXT = Template("""# BabyChain on Temporal

> Runs chains of image and video models: one call starts a run, which goes on by itself, keeps every file that it makes,
> and ends with one signed callback. This deployment is at $base.

Send `Authorization: Bearer <key>` with every call but those of the catalogue. Amounts are US dollars. To run a chain:

1. `GET $base/api/v1/chains` shows the chains and the fields of their inputs, `GET $base/api/v1/models` the models,
   and `GET $base/api/v1/models/{model id}` the JSON Schema of a model's parameters.
2. `POST $base/api/v1/chains/{slug}/estimate` with `{"input": {...}}` says what a run would cost. Nothing is started.
3. `POST $base/api/v1/chains/{slug}/runs` with the same body starts it. Always send `max_cost`, the most that it may
   cost, and an `Idempotency-Key` header: the same key and body are the same run, so a repeat pays nothing twice.
4. `GET $base/api/v1/chains/get/{run id}` with the header `Prefer: wait=30` answers at the run's end, or after 30 s. It
   has ended when `status` is `succeeded`, `failed` or `canceled`; files are in `steps[].generation_output_file`.
5. `POST $base/api/v1/chains/cancel/{run id}` stops it.

An error is `{"error": {"code", "message", "errors": [{"path", "message"}], "guidance": {"what_to_try_next"}}}`. Its
`errors` names every fault of a request at once. After 429 and 503 wait as `Retry-After` says.

## Chains

$chains

## Reference

- [OpenAPI]($base/openapi.json): every route, with examples
- [The same for people]($base/docs)
""")


@router.get("/llms.txt", include_in_schema=False)
async def llms(held: Held) -> PlainTextResponse:
    return PlainTextResponse(llms_text(held.templates.values(), held.estimates.base_url))


def llms_text(templates: Iterable[ChainTemplate], base_url: str) -> str:
    chains = "\n".join(
        f"- `{one.slug}`: {one.title}. Steps: {' → '.join(step.key for step in one.steps)}" for one in templates
    )
    return _TEXT.substitute(base=base_url, chains=chains)

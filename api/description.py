"""The OpenAPI document: FastAPI's own, completed with the requests of every chain, and shapes, examples and errors."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI

from api.answers import ANSWERS, REQUESTS, RUN, RUN_ID, Answer
from api.error_examples import CRON, ERRORS, KEYED, LIMITED, ORDERS
from api.errors import body_of, status_of
from api.examples import ERROR
from api.shapes import components
from domain.catalogue import Catalogue
from domain.chains import ChainTemplate
from domain.request_schemas import body_schema

Json = dict[str, Any]

TAGS = {
    "runs": "Create, read, list, watch, cancel, retry and delete runs of a chain.",
    "catalogue": "The chains and models of this deployment, and what each of them takes. No key needed.",
    "money": "What a run would cost, and what has been spent.",
    "assets": "Upload start pictures; fetch pictures and videos by their signed links.",
    "deliveries": "Callbacks: the log of their delivery, sending one again, and a test.",
    "providers": "Provider accounts: how they do, and the switches that an operator has.",
    "keys": "Caller keys, callers, spending caps and callback secrets. Needs the scope admin.",
    "admin": "From a provider's job or a request id to the run. Needs the scope admin.",
    "operations": "Search, stopping many runs, workers, and callbacks that do not arrive.",
    "console": "What the console page shows of this deployment.",
    "health": "Is this process alive, and can it serve? No key needed.",
    "internal": "For those who still call the cron fallback.",
}
_ORDERING = {"create_run", "estimate_run", "retry_run"}
_NEVER_LIMITED = {"cancel_run", "cancel_runs"}
_REASONS = {
    400: "The request is wrong; `errors` names every fault with its path.",
    401: "The key is missing or unknown.",
    403: "The key may not do this, or the link is not good.",
    404: "It does not exist, or it is not yours.",
    408: "The body did not come in time.",
    409: "It contradicts what has happened before.",
    413: "The body is too large.",
    415: "The body is of another type.",
    416: "The range is not within the file.",
    429: "Too much at once; Retry-After says when to come again.",
    500: "This deployment is not set up for it.",
    503: "Something that we need does not answer; try again later.",
}
_HEADERS: dict[str, Json] = {
    "X-Request-Id": {"description": "Yours where it fits, else ours. Support finds the call by it."},
    "Retry-After": {"description": "Seconds to wait."},
    "RateLimit": {"description": 'Where the key stands: `"creates";r=<left>;t=<seconds>`.'},
    "Location": {"description": "Where the run is read."},
    "WWW-Authenticate": {"description": "`Bearer`."},
}
_PARAMETERS = {
    "limit": "How many at most.",
    "caller": "Only keys of this caller.",
    "format": "`csv` for a spreadsheet.",
    "expires": "Of the signed link.",
    "signature": "Of the signed link.",
}
"""Where a route says nothing of a parameter."""

_REQUEST_ID: Json = {
    "name": "X-Request-Id",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "Comes back in the answer, and as `client_request_id` of a run, when it matches "
    "`[A-Za-z0-9_.:-]{1,128}`; otherwise it is dropped.",
    "example": "web-42",
}


class DescribedApp(FastAPI):
    """Its document is complete once the app has started: only then it knows its models."""

    def openapi(self) -> Json:
        if self.openapi_schema is None:
            held = self.state.services
            self.openapi_schema = completed(super().openapi(), held.templates, held.catalogue)
        return self.openapi_schema


def completed(document: Json, templates: Mapping[str, ChainTemplate], catalogue: Catalogue) -> Json:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas |= {name: _untitled(shape) for name, shape in components().items()}
    bodies = _add_bodies(schemas, templates, catalogue)
    document["components"]["headers"] = {
        name: about | {"schema": {"type": "string"}} for name, about in _HEADERS.items()
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            _complete(operation, bodies)
            _bound(operation["parameters"], templates, catalogue)
    used = {tag for operations in document["paths"].values() for one in operations.values() for tag in one["tags"]}
    document["tags"] = [{"name": name, "description": says} for name, says in TAGS.items() if name in used]
    document["webhooks"] = {"run": {"post": _CALLBACK}}
    return document


def _bound(parameters: list[Json], templates: Mapping[str, ChainTemplate], catalogue: Catalogue) -> None:
    """What this deployment knows of its parameters."""
    paths: dict[str, Json] = {
        "slug": {"enum": list(templates)},
        "name": {"enum": sorted({card.provider for card in catalogue.models.values()})},
        "run_id": {"format": "uuid", "example": RUN_ID},
        "model_id": {"example": next(iter(catalogue.models))},
    }
    for parameter in parameters:
        if parameter["in"] == "header":
            # FastAPI shows its own way of reading it: a null, or a list, is not what stands in a header.
            parameter["schema"] = {"type": "string"}
        if parameter["in"] == "path":
            parameter["schema"] |= paths.get(parameter["name"], {})


def _add_bodies(schemas: Json, templates: Mapping[str, ChainTemplate], catalogue: Catalogue) -> Json:
    """One schema for each chain, each model's params once; a body has to fit one of them."""
    names: list[str] = []
    for slug, template in templates.items():
        schema = _moved(body_schema(template, catalogue))
        schemas |= schema.pop("$defs")
        names.append(f"create.{slug}")
        schemas[names[-1]] = schema
    return {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in names]}


def _complete(operation: Json, bodies: Json) -> None:
    name = operation["operationId"]
    operation.setdefault("parameters", []).append(_REQUEST_ID)
    if name in ("create_run", "estimate_run"):
        operation["requestBody"]["content"]["application/json"]["schema"] = bodies
    for parameter in operation["parameters"]:
        if parameter["name"] in _PARAMETERS:
            parameter.setdefault("description", _PARAMETERS[parameter["name"]])
    if name in REQUESTS:
        operation["requestBody"]["content"]["application/json"]["example"] = REQUESTS[name]
    for answer in ANSWERS.get(name, ()):
        _show(operation, answer)
    for status, examples in _errors_of(operation).items():
        operation["responses"][str(status)] = {
            "description": _REASONS[status],
            "headers": _headers(status),
            "content": {"application/json": {"schema": ERROR, "examples": examples}},
        }
    if "default" in operation["responses"]:
        operation["responses"]["default"] = {
            "description": "Any other error.",
            "content": {"application/json": {"schema": ERROR, "example": body_of(ERRORS[0][0], "web-42")}},
        }
    known = dict.fromkeys(sorted(operation["responses"]))
    operation["responses"] = {status: operation["responses"][status] for status in known}


def _show(operation: Json, answer: Answer) -> None:
    shown: Json = {"description": answer.says or "What was asked for.", "headers": _headers(answer.status)}
    content = dict(answer.others)
    if answer.shape is not None:
        schema = {"$ref": f"#/components/schemas/{answer.shape}"}
        content = {"application/json": {"schema": schema, "example": answer.example}} | content
    if content:
        shown["content"] = content
    operation["responses"][str(answer.status)] = shown


def _errors_of(operation: Json) -> dict[int, Json]:
    """The errors that may be met here, by status and code, each in the words that callers get."""
    places = {operation["operationId"], *_places(operation)}
    found: dict[int, Json] = {}
    for error, where in ERRORS:
        if where & places:
            example = {"value": body_of(error, "web-42")}
            found.setdefault(status_of(error), {})[error.reason] = example
    shown = {str(answer.status) for answer in ANSWERS.get(operation["operationId"], ())}
    return {status: examples for status, examples in found.items() if str(status) not in shown}


def _places(operation: Json) -> Iterator[str]:
    for parameter in operation["parameters"]:
        yield "query" if parameter["in"] == "query" else parameter["name"].lower()
        if parameter["name"] in ("cursor", "signature"):
            yield parameter["name"]
    if any("cron" in scheme for scheme in operation.get("security", ())):
        yield CRON
    if any("key" in scheme for scheme in operation.get("security", ())):
        yield KEYED
        if operation["operationId"] not in _NEVER_LIMITED:
            yield LIMITED
    if "requestBody" in operation:
        yield "body"
    if operation["operationId"] in _ORDERING:
        yield ORDERS


def _headers(status: int) -> Json:
    names = ["X-Request-Id"]
    names += {202: ["RateLimit", "Location"], 429: ["RateLimit", "Retry-After"]}.get(status, [])
    names += {401: ["WWW-Authenticate"], 503: ["Retry-After"]}.get(status, [])
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _moved(value: Any) -> Any:
    """References to a schema's own definitions, turned to the document's."""
    if isinstance(value, dict):
        return {key: _moved(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_moved(child) for child in value]
    if isinstance(value, str) and value.startswith("#/$defs/"):
        return value.replace("#/$defs/", "#/components/schemas/")
    return value


def _untitled(shape: Json) -> Json:
    """Without the titles that pydantic makes of names."""
    shown = {key: value for key, value in shape.items() if key != "title"}
    if "properties" in shown:
        shown["properties"] = {key: _untitled(value) for key, value in shown["properties"].items()}
    return shown


_CALLBACK: Json = {
    "operationId": "run_callback",
    "summary": "What a webhook_url gets",
    "description": "Once, when the run has ended; docs/callbacks.md says how to verify it. Answer with any 2xx.",
    "tags": ["runs"],
    "parameters": [
        {"name": name, "in": "header", "required": True, "schema": {"type": "string"}, "description": says}
        for name, says in {
            "X-BabyChain-Event": "chain_run.completed",
            "X-BabyChain-Signature": "t=<unix seconds>,v1=<hex HMAC-SHA256 of '<t>.<body>'>",
            "webhook-id": "The same over every attempt.",
            "webhook-timestamp": "Standard Webhooks.",
            "webhook-signature": "Standard Webhooks.",
        }.items()
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Run"}, "example": RUN}},
    },
    "responses": {"200": {"description": "Taken."}},
}

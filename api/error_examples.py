"""Every error that an operation may answer, for OpenAPI: made of the errors themselves, so their shape is real."""

from domain.errors import (
    AuthError,
    BabyChainError,
    ConflictError,
    Fault,
    LimitError,
    RequestError,
    SetupError,
    UnavailableError,
)

_FAULT = Fault(("input", "text_to_image_params", "width"), "must be a whole number")


def _request(message: str, code: str, *faults: Fault) -> RequestError:
    return RequestError(message, code=code, faults=faults)


KEYED, CRON, LIMITED, ORDERS = "a caller key", "the cron secret", "so many a minute", "models and parameters"
"""Where an error may be met: these four, the name of a parameter, `body`, or an operation."""

ERRORS: tuple[tuple[BabyChainError, frozenset[str]], ...] = tuple(
    (error, frozenset(where))
    for error, *where in (
        (_request("The run id is not a UUID.", "invalid_run_id"), "run_id"),
        (_request("The body is not valid JSON.", "invalid_json"), "body"),
        (
            _request("Request validation failed.", "invalid_request", Fault(("metadata",), "must be an object")),
            "body",
            "query",
        ),
        (_request("input.text_to_image_params.width must be a whole number.", "invalid_chain_input", _FAULT), ORDERS),
        (
            _request(
                "input.text_to_image_model names no known model.",
                "unsupported_model_identifier",
                Fault(("input", "text_to_image_model"), "names no known model"),
            ),
            ORDERS,
        ),
        (
            _request(
                "input.text_to_image_model needs the key of bfl.",
                "byok_credentials_missing",
                Fault(("input", "text_to_image_model"), "needs the key of bfl"),
            ),
            ORDERS,
        ),
        (
            _request(
                "max_cost is lower than the run could cost.",
                "max_cost_exceeded",
                Fault(("max_cost",), "is lower than the run could cost"),
            ),
            ORDERS,
        ),
        (
            _request(
                "The callback address must be https.",
                "invalid_callback_url",
                Fault(("webhook_url",), "must be https"),
            ),
            ORDERS,
            "send_test",
        ),
        (_request("Idempotency-Key takes 1 to 255 characters.", "invalid_idempotency_key"), "idempotency-key"),
        (_request("The cursor cannot be used.", "invalid_cursor", Fault(("cursor",), "cannot be read")), "cursor"),
        (_request("The file can't be used: it is no picture.", "invalid_asset"), "upload_asset"),
        (AuthError("Send your key as 'Authorization: Bearer <key>'.", code="missing_api_key"), KEYED),
        (AuthError("This key is not known here.", code="invalid_api_key"), KEYED),
        (AuthError("Send the cron secret as 'Authorization: Bearer <secret>'.", code="unauthorized"), CRON),
        (AuthError("This key lacks the scope 'chains:run'.", code="insufficient_scope"), KEYED),
        (_request("This link has expired; read the run again for a fresh one.", "link_expired"), "signature"),
        (_request("This link is not one of ours.", "link_invalid"), "signature"),
        (_request("There is no chain 'chain9'.", "chain_not_found"), "slug"),
        (_request("There is no such run.", "run_not_found"), "run_id"),
        (_request("There is no model 'bfl/flux-9'.", "model_not_found"), "model_id"),
        (_request("There is no such asset.", "asset_not_found"), "asset_id"),
        (_request("There is no such key.", "not_found"), "key_id", "caller", "name"),
        (
            ConflictError("The Idempotency-Key was used for another request.", facts={"conflicts": ["input"]}),
            "idempotency-key",
        ),
        (ConflictError("The run of this Idempotency-Key was deleted.", code="run_deleted"), "create_run", "retry_run"),
        (
            ConflictError("The run is running; cancel it, or wait for its end.", code="run_active"),
            "delete_run",
            "resend",
        ),
        (ConflictError("The run was created without a webhook_url.", code="no_callback"), "resend"),
        (ConflictError("This run is still going on.", code="run_not_ended"), "retry_run"),
        (ConflictError("The chain has changed since that run.", code="chain_version_changed"), "retry_run"),
        (ConflictError("This key has ended.", code="key_not_active"), "rotate_key"),
        (_request("The body was not whole within 10 seconds.", "request_timeout"), "body"),
        (_request("The body is larger than 262144 bytes.", "payload_too_large"), "body"),
        (_request("Send the body as application/json.", "unsupported_media_type"), "body"),
        (_request("The range is not within the file.", "range_not_satisfiable"), "get_file"),
        (
            LimitError(
                "This key has used its 30 creates a minute; try again in 12 s.",
                facts={"limit": 30, "remaining": 0, "reset": 1779872472000},
            ),
            LIMITED,
        ),
        (LimitError("This run may cost more than your caller may still spend.", code="spend_cap_exceeded"), ORDERS),
        (LimitError("Too many of your requests are listening already.", code="too_many_listeners"), "run_events"),
        (LimitError("Another bulk cancel is under way.", code="bulk_cancel_busy"), "cancel_runs"),
        (SetupError("Set BABYCHAIN_CRON_SECRET to use this route.", code="cron_not_configured"), CRON),
        (UnavailableError("The workflow server does not answer."), "run_id", ORDERS, "list_runs", CRON),
        (UnavailableError("The database does not answer.", code="database_unreachable"), KEYED),
    )
)

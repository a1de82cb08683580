"""What to do about an error, by its code. Shown beside the error wherever it appears."""

from typing import Any

_GUIDANCE: dict[str, tuple[str, tuple[str, ...]]] = {
    "byok_credentials_missing": (
        "This server has no key for the chosen model's provider.",
        (
            "Set the provider's key in the server's environment and restart it.",
            "Choose a model of another provider.",
        ),
    ),
    "invalid_chain_input": (
        "Input does not fit the chain.",
        ("Compare with GET /api/v1/chains.", "Read the model's parameters at GET /api/v1/models/{model id}."),
    ),
    "provider_rate_limited": (
        "The provider kept refusing: too many requests or running jobs.",
        ("Try again later.", "Spread runs over time, or choose a model of another provider."),
    ),
    "provider_unauthorized": (
        "The provider refused this server's key.",
        (
            "Check the provider's key in the server's environment.",
            "Check that the account may use this model.",
        ),
    ),
    "provider_not_found": (
        "The provider does not offer this model to this account.",
        ("Activate the model in the provider's console.", "Choose another model."),
    ),
    "provider_unavailable": (
        "The provider did not answer properly for as long as the step was allowed to wait.",
        ("Try again later.", "Choose a model of another provider."),
    ),
    "provider_never_started": (
        "The provider did not start the job: its own list shows none, and nothing was paid.",
        ("Start a new run.", "Name several models for the step, so that another provider can take over."),
    ),
    "provider_paused": (
        "New jobs are held back from this provider: it is out, or an operator has disabled it.",
        ("Read GET /api/v1/providers for the reason.", "Choose a model of another provider, or try again later."),
    ),
    "invalid_cursor": (
        "The cursor belongs to another list, or was changed.",
        ("Start the list anew, without a cursor.",),
    ),
    "too_many_listeners": (
        "This caller has too many open streams and waits.",
        ("Close a stream, or read the run with GET.",),
    ),
    "max_cost_exceeded": (
        "Going on could cost more than the run's max_cost.",
        (
            "Raise max_cost.",
            "Choose cheaper models, or models whose price is published.",
            "Where a price is not published: leave max_cost out, or set `fallbacks: false`.",
        ),
    ),
    "spend_cap_exceeded": (
        "This caller's spending cap leaves no room for the run.",
        ("Wait until the day or month is over.", "Ask the operator for a higher cap."),
    ),
    "provider_network_error": (
        "The provider could not be reached.",
        ("Check the server's outbound network.", "Try again later."),
    ),
    "provider_invalid_request": (
        "The provider refused the request.",
        ("Read the message, change the parameter it names, and start a new run.",),
    ),
    "provider_unexpected_response": (
        "The provider answered in a way that its documentation does not describe.",
        ("Start a new run.", "If it happens again, check whether the provider has changed its API."),
    ),
    "provider_quota_exceeded": (
        "The provider account has no credit left.",
        ("Top up the account, then start a new run.", "Choose a model of another provider."),
    ),
    "provider_content_moderated": (
        "The provider's content filter refused the input or the output.",
        ("Change the prompt or the picture; the same input would be refused again.",),
    ),
    "provider_failed": (
        "The provider's job failed.",
        ("Start a new run.", "Change the seed or the prompt, or choose another model."),
    ),
    "provider_task_not_found": (
        "The provider no longer knows the job.",
        ("Check the provider's console: the job may have been billed.", "Start a new run."),
    ),
    "provider_expired": (
        "The provider gave the job up before it finished.",
        ("Start a new run.", "Choose another model or service tier."),
    ),
    "provider_output_invalid": (
        "The provider's output was not the media it promised.",
        ("Start a new run.", "If it happens again, choose another model."),
    ),
    "start_outcome_unknown": (
        "Nobody knows whether the provider started a paid job: its answer was lost, and it can't be looked up.",
        (
            "Check the provider's console for a job at this time.",
            "Start a new run if none is there; the cost at risk is shown with the attempt.",
        ),
    ),
    "step_running_timed_out": (
        "The step's deadline passed before the provider finished.",
        ("Start a new run.", "Choose a faster model or a shorter video."),
    ),
    "chain_step_params_failed": (
        "The step's request could not be built.",
        ("Read the message, correct the input, and start a new run.",),
    ),
    "run_terminated": (
        "An operator or a server limit ended the run from outside.",
        ("Look at the workflow in the Temporal Web UI.", "Start a new run."),
    ),
    "temporal_unreachable": (
        "The workflow server does not answer.",
        (
            "Repeat the request; one that starts something, with the same Idempotency-Key.",
            "Operators: check TEMPORAL_ADDRESS and the server.",
        ),
    ),
    "database_unreachable": ("The archive's database does not answer.", ("Repeat the request in a moment.",)),
}


def guidance_for(code: str) -> dict[str, Any] | None:
    if code not in _GUIDANCE:
        return None
    summary, steps = _GUIDANCE[code]
    return {"summary": summary, "what_to_try_next": list(steps)}

"""`babychain templates` and `babychain models`: what can be run. Needs no key."""

import os
import sys
from typing import Any, Literal

from babychain_client import Money, NotAllowed
from cli.failures import Exit
from cli.session import ask, connect_openly, find_key
from cli.showing import AsJson, Flag, console, show_json, show_table

Json = dict[str, Any]


def templates(*, as_json: AsJson = False) -> int:
    """Show the chains, their steps, and each step's own model.

    Parameters
    ----------
    as_json
        Print JSON, with every field that an input may have.
    """
    with connect_openly() as client:
        found = client.templates()
    if as_json:
        show_json({"object": "list", "data": found})
        return Exit.DONE
    show_table(
        ("chain", "version", "steps", "title"), ((t["slug"], t["version"], _steps(t), t["title"]) for t in found)
    )
    return Exit.DONE


def models(
    name: str | None = None,
    /,
    *,
    kind: Literal["image", "video"] | None = None,
    available: Flag = False,
    as_json: AsJson = False,
) -> int:
    """Show the models, or the parameters of one. With a key also who serves each, and what its usual job costs.

    Parameters
    ----------
    name
        One model, such as bfl/flux-2-pro.
    kind
        Only these.
    available
        Only those whose provider has a key here.
    as_json
        Print JSON; of one model, the JSON Schema that requests are checked against.
    """
    with connect_openly() as client:
        if name is not None:
            _show_model(client.model(name), as_json=as_json)
            return Exit.DONE
        found = client.models()
    rows = [row for row in found if kind in (None, row["kind"]) and (row["available"] or not available)]
    known, missing = _known_with_a_key()
    if as_json:
        show_json({"object": "list", "data": [row | known.get(row["id"], {}) for row in rows]})
        return Exit.DONE
    _show_models(rows, known)
    if missing:
        print(f"babychain: {missing}", file=sys.stderr)
    return Exit.DONE


def _show_models(rows: list[Json], known: dict[str, Json]) -> None:
    columns = ("model", "kind", "maker", "available")
    shown = [(row["id"], row["kind"], row["provider"], "yes" if row["available"] else "no key") for row in rows]
    if not known:
        show_table(columns, shown)
        return
    more = [known.get(row["id"], {}) for row in rows]
    prices = [str(Money.read(one["usual_price"])) if "usual_price" in one else None for one in more]
    served = [one.get("served_by") for one in more]
    show_table(
        (*columns[:3], "provider", *columns[3:], "usual price"),
        ((*row[:3], by, *row[3:], price) for row, by, price in zip(shown, served, prices, strict=True)),
    )


def _known_with_a_key() -> tuple[dict[str, Json], str | None]:
    """Of each model its provider's account, and the price of a job that leaves everything at the model's defaults; or
    why that is not to be had."""
    if find_key(os.environ) is None:
        return {}, "Providers and prices are shown to keys: set BABYCHAIN_API_KEY to yours."
    try:
        accounts, facts = ask("GET", "/api/v1/providers"), ask("GET", "/api/v1/console")
    except NotAllowed as error:
        return {}, f"Providers and prices are shown to keys of this deployment: {error}"
    known: dict[str, Json] = {name: {"usual_price": price} for name, price in facts["prices"].items()}
    for account in accounts["data"]:
        for model in account["models"]:
            known.setdefault(model["id"], {})["served_by"] = account["name"]
    return known, None


def _show_model(model: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(model)
        return
    said = console()
    said.print(f"{model['id']}: {model['kind']}, safety class {model['safety_class']}", markup=False)
    schema = model["raw_schema"]["request"]
    needed = set(schema.get("required", ()))
    show_table(
        ("parameter", "takes", "needed", "says"),
        (
            (name, _takes(field), "yes" if name in needed else "", field.get("description", ""))
            for name, field in schema.get("properties", {}).items()
            if name not in model["babychain_constraints"]
        ),
    )
    for hint in model["hints"]:
        said.print(f"  {hint}", markup=False)


def _takes(field: dict[str, Any]) -> str:
    choices = field.get("anyOf", [field])
    bounds = [f"{sign} {choice[key]}" for choice in choices for key, sign in _BOUNDS.items() if key in choice]
    kinds = [_kind(choice) for choice in choices if choice.get("type") != "null"]
    return " ".join([" or ".join(kinds), *bounds])


_BOUNDS = {"minimum": "≥", "maximum": "≤"}


def _kind(field: dict[str, Any]) -> str:
    if "enum" in field:
        return " | ".join(map(str, field["enum"]))
    return str(field.get("const") or field.get("type") or "object")


def _steps(template: dict[str, Any]) -> str:
    return " ──▶ ".join(step["key"] for step in template["steps"])

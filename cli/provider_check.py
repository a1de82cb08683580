"""`babychain providers check` and `compare`: whether the keys are good, and whether the simulators tell the truth.

A check costs nothing. `--live` runs one job per provider, the cheapest there is, and writes down the shapes of the
answers; `compare` asks the sandbox the same and names every difference.
"""

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import httpx
from rich.console import Console

import providers
from cli.asking import confirm
from cli.failures import CommandFailed, Exit, Misused
from cli.provider_trial import Trial, cheapest, run_trial, trial_of
from cli.provider_trial import check as ask
from cli.shapes import differences
from cli.showing import AsJson, Flag, console, show_json
from cli.signals import run
from domain.checks import KeyVerdict
from domain.money import dollars, micros_of
from domain.provider import Provider
from net.client import provider_client
from net.origins import TrustedOrigins

Json = dict[str, Any]

TRANSCRIPTS = Path("docs/transcripts")


def check(
    *,
    live: Flag = False,
    max_cost: str = "0.50",
    yes: Flag = False,
    transcript: Path | None = None,
    as_json: AsJson = False,
) -> int:
    """Ask every provider that has a key here whether it can be reached and takes the key. Costs nothing.

    Parameters
    ----------
    live
        Also run the cheapest job of each, after showing its price.
    max_cost
        Dollars that all jobs together may cost at most.
    yes
        Do not ask before spending.
    transcript
        Where the shapes of the answers are written: a file named after the day, in docs/transcripts, unless given.
    as_json
        Print JSON; what is said on the way goes to standard error.
    """
    try:
        budget = micros_of(max_cost)
    except ValueError as error:
        raise Misused("--max-cost is an amount of dollars, such as 0.50.") from error
    said = console(stderr=as_json)
    return run(checked(said, os.environ, live=live, budget=budget, yes=yes, transcript=transcript, as_json=as_json))


def compare(transcript: Path, /, *, sandbox: str = "http://127.0.0.1:8090", as_json: AsJson = False) -> int:
    """Run the jobs of a transcript against the sandbox, and name what its answers have otherwise.

    Parameters
    ----------
    transcript
        As `check --live` writes it.
    sandbox
        Where the sandbox listens: `python -m sandbox` starts one.
    as_json
        Print JSON.
    """
    try:
        told = json.loads(transcript.read_text())["providers"]
    except (OSError, ValueError, KeyError) as error:
        raise Misused(f"{transcript} is no transcript of 'babychain providers check --live'.") from error
    return run(compared(console(stderr=as_json), told, sandbox, as_json=as_json))


# ---- check ----------------------------------------------------------------------------------------------------------


async def checked(
    console: Console,
    env: Mapping[str, str],
    *,
    live: bool,
    budget: int,
    yes: bool,
    transcript: Path | None,
    as_json: bool = False,
) -> int:
    """0 where every key that is set was found good, and every job that ran succeeded."""
    rows: list[Json] = []
    async with _adapters(env) as (http, offered):
        good = {}
        for module, provider in offered:
            verdict, says = ("no key", f"{module.KEY_NAME} is not set")
            if provider is not None:
                verdict, says = (found := await ask(provider)).verdict, found.says
                if verdict is KeyVerdict.GOOD:
                    good[module.NAME] = (module, provider)
            console.print(f"{module.NAME:12} {verdict}: {says}", markup=False)
            rows.append({"provider": module.NAME, "verdict": verdict, "says": says})
        jobs = await _try_out(console, good, http, budget=budget, yes=yes, transcript=transcript) if live else {}
    if as_json:
        show_json({"object": "list", "data": [row | jobs.get(row["provider"], {}) for row in rows]})
    all_good = all(row["verdict"] in ("no key", KeyVerdict.GOOD) for row in rows)
    ran_well = all(job["outcome"] == "succeeded" for job in jobs.values()) and bool(jobs or not live)
    return Exit.DONE if all_good and ran_well else Exit.FAILED


async def _try_out(
    console: Console,
    good: Mapping[str, tuple[ModuleType, Provider]],
    http: httpx.AsyncClient,
    *,
    budget: int,
    yes: bool,
    transcript: Path | None,
) -> dict[str, Json]:
    """Each job that ran, with its outcome."""
    trials = _affordable(console, good, budget)
    total = sum(trial.cost for trial in trials.values())
    if not trials:
        console.print("Nothing to run.")
        return {}
    if not yes:
        confirm(f"Run these for at most {dollars(total)} USD?", console, otherwise="Nothing was run")
    runs = {}
    for name, trial in trials.items():
        runs[name] = await run_trial(good[name][1], trial, http)
        console.print(f"{name:12} {trial.card.id}: {runs[name]['outcome']}", markup=False)
    path = transcript or TRANSCRIPTS / f"{datetime.now(UTC):%Y-%m-%d}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"v": 1, "date": f"{datetime.now(UTC):%Y-%m-%d}", "providers": runs}, indent=2) + "\n")
    console.print(f"Written to {path}.")
    return {name: {"model": told["model"], "outcome": told["outcome"]} for name, told in runs.items()}


def _affordable(console: Console, good: Mapping[str, tuple[ModuleType, Provider]], budget: int) -> dict[str, Trial]:
    trials: dict[str, Trial] = {}
    for name, (module, provider) in good.items():
        found = cheapest(module, provider)
        if isinstance(found, str):
            console.print(f"{name:12} not run: {found}")
        elif sum(trial.cost for trial in trials.values()) + found.cost > budget:
            console.print(f"{name:12} not run: {found.card.id} for {dollars(found.cost)} USD is over --max-cost")
        else:
            trials[name] = found
            console.print(f"{name:12} would run {found.card.id} for at most {dollars(found.cost)} USD")
    return trials


# ---- compare --------------------------------------------------------------------------------------------------------


async def compared(console: Console, told: Mapping[str, dict[str, Any]], sandbox: str, *, as_json: bool = False) -> int:
    """0 where each answer has the same keys, with values of the same types."""
    env = providers.sandbox_environment(sandbox) | {"BABYCHAIN_TRUSTED_ORIGINS": _both_names(sandbox)}
    found: list[str] = []
    async with _adapters(env) as (http, offered):
        for module, provider in offered:
            if provider is None or (real := told.get(module.NAME)) is None:
                continue
            if (await ask(provider)).verdict is KeyVerdict.UNREACHABLE:
                raise CommandFailed(f"No sandbox answers at {sandbox}: start one with 'python -m sandbox'.")
            trial = trial_of(module.MODELS[real["model"]], provider)
            if trial is None:
                raise CommandFailed(f"{real['model']} can't be run without a price or an input of its own.")
            simulated = await run_trial(provider, trial, http)
            for line in _compared_run(module.NAME, real, simulated):
                console.print(line, markup=False)
                found.append(line)
    console.print(f"{len(found)} differences." if found else "The simulators answer as the providers did.")
    if as_json:
        show_json({"differences": found})
    return Exit.FAILED if found else Exit.DONE


def _both_names(sandbox: str) -> str:
    """The sandbox hands out addresses under a second name of its machine, as real providers do."""
    origin = urlsplit(sandbox)
    return ",".join(f"{origin.scheme}://{host}:{origin.port or 80}" for host in {origin.hostname, "localhost"})


def _compared_run(name: str, real: Mapping[str, Any], simulated: Mapping[str, Any]) -> list[str]:
    lines = []
    for call in sorted(real["answers"].keys() | simulated["answers"].keys()):
        there, here = real["answers"].get(call), simulated["answers"].get(call)
        if there is None or here is None:
            lines.append(f"{name} {call}: only {'the simulator' if there is None else 'the provider'} was asked")
            continue
        pairs = differences(
            {key: there[key] for key in ("status", "answer")}, {key: here[key] for key in ("status", "answer")}
        )
        lines += [f"{name} {call}: {line}" for line in pairs]
    return lines


@asynccontextmanager
async def _adapters(
    env: Mapping[str, str],
) -> AsyncIterator[tuple[httpx.AsyncClient, list[tuple[ModuleType, Provider | None]]]]:
    """Every module of the folder with its adapter, where it has a key. No other setting of the service is needed."""
    async with provider_client(TrustedOrigins.parse(env.get("BABYCHAIN_TRUSTED_ORIGINS", ""))) as http:
        yield http, [(module, module.create(env, http)) for module in providers.every_module()]

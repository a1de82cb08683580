"""`babychain doctor`: is this deployment well, and if not, what helps?"""

import os
from dataclasses import asdict

from babychain_client import AsyncBabyChain
from cli.checks import Finding, State, check_all
from cli.deployment import fill_in
from cli.failures import Exit
from cli.session import api_url, find_key
from cli.showing import AsJson, console, show_json
from cli.signals import run

_MARKS = {State.GOOD: ("✓", "green"), State.DOUBTFUL: ("!", "yellow"), State.BAD: ("✗", "red")}


def doctor(*, as_json: AsJson = False) -> int:
    """Look at settings, Temporal, worker, database, storage, API, key, clock, public address and providers.

    Run it where the service runs, with the service's environment. Exit code 1 where something is bad. Where `babychain
    dev` has run, what it keeps fills in for what is not set.

    Parameters
    ----------
    as_json
        Print JSON.
    """
    fill_in()
    return run(_doctor(as_json=as_json))


async def _doctor(*, as_json: bool) -> int:
    found: list[Finding] = []
    # Whether there is a key at all is one of the questions.
    async with AsyncBabyChain(api_url(os.environ), find_key(os.environ), tries=1) as api:
        async for finding in check_all(os.environ, api, api_url(os.environ)):
            found.append(finding)
            if not as_json:
                _show(finding)
    if as_json:
        show_json({"object": "list", "data": [asdict(finding) for finding in found]})
    return Exit.FAILED if any(finding.state is State.BAD for finding in found) else Exit.DONE


def _show(finding: Finding) -> None:
    mark, style = _MARKS[finding.state]
    said = console()
    said.print(f"  [{style}]{mark}[/] {finding.part:20}", end=" ")
    said.print(finding.says, markup=False)
    if finding.remedy:
        said.print(f"    {'':20} → {finding.remedy}", markup=False)

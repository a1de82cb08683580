"""`python -m bench.figures`: break everything at every provider, and count how the runs end and what was paid.

Everything is counted at the simulators' own ledger. Nothing here costs money, and all of it ends by itself.
"""

import argparse
import logging
import os
import sys
import tempfile
from pathlib import Path

import structlog
from rich.console import Console
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig

from bench import figures_faults, figures_kills, figures_polls
from bench.report import machine
from cli.signals import run
from tests.support.temporal_server import running_temporal

PARTS = ("faults", "lists", "polls", "kills")
RUNS_OF_A_LIST = 2


async def figures(console: Console, asked: argparse.Namespace) -> int:
    """0 where every figure is what it should be."""
    console.print(machine())
    good = True
    with tempfile.TemporaryDirectory(prefix="babychain-figures-") as name:
        folder = Path(name)
        # Workers come and go here by the dozen, and neither server nor SDK likes that.
        silent = Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="off")))
        async with running_temporal(dev_server_log_level="never", runtime=silent) as client:
            if "faults" in asked.parts:
                good &= await figures_faults.show(
                    console, client, folder, runs=asked.runs, providers=asked.providers, kinds=asked.kinds
                )
            if "lists" in asked.parts:
                few = min(asked.runs, RUNS_OF_A_LIST)
                good &= await figures_faults.show(
                    console, client, folder, runs=few, providers=asked.providers, kinds=asked.kinds, listed=True
                )
            if "polls" in asked.parts:
                good &= await figures_polls.show(
                    console, client, folder, runs=asked.runs, providers=asked.providers, seconds=asked.seconds
                )
            if "kills" in asked.parts:
                good &= await figures_kills.show(console, client, folder, kills=asked.kills)
    console.print("All as it should be." if good else "NOT all as it should be: see above.")
    return 0 if good else 1


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.figures", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="which tables")
    parser.add_argument("--runs", type=int, default=10, help="runs of each fault at each provider")
    parser.add_argument("--providers", nargs="+", default=[], help="only these")
    parser.add_argument("--kinds", nargs="+", default=[], help="only these fault kinds")
    parser.add_argument("--kills", type=int, default=20, help="runs killed at each point")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long a job takes whose webhook is lost")
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)  # failing is what the runs are for
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    os.environ.pop("BABYCHAIN_PROVIDER_MODE", None)
    sys.exit(run(figures(Console(highlight=False, soft_wrap=True), asked)))


if __name__ == "__main__":
    main()

"""The command line: one name per module of this folder."""

import sys

from cyclopts import App

from cli.demo import demo
from cli.dev import dev
from cli.failures import CommandFailed
from cli.keys import keys
from cli.serve import serve
from cli.setup import setup
from domain.errors import BabyChainError

app = App(
    name="babychain",
    help="Chains of image and video models, run by Temporal.",
    version_flags=[],
    # Commands answer an exit code; without this a code of 0 would be printed.
    result_action="return_value",
)
app.command(serve)
app.command(setup)
app.command(dev)
app.command(demo)
app.command(keys)


def main() -> None:
    try:
        sys.exit(app())
    except CommandFailed as error:
        _complain(str(error), error.details)
    except BabyChainError as error:
        _complain(error.message)
    sys.exit(1)


def _complain(message: str, details: tuple[str, ...] = ()) -> None:
    for line in details:
        print(f"  {line}", file=sys.stderr)
    print(f"babychain: {message}", file=sys.stderr)

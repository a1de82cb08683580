"""The command line: one name per module of this folder."""

import json
import sys

from cyclopts import App, CycloptsError

import babychain_client
from cli.catalogue import models, templates
from cli.deliveries import deliveries
from cli.demo import demo
from cli.dev import dev
from cli.failures import CommandFailed, Exit, exit_of_error
from cli.keys import keys
from cli.providers import app as providers
from cli.run import estimate, run
from cli.runs import cancel, get, list_, retry, watch
from cli.serve import serve
from cli.setup import setup
from domain.errors import BabyChainError

app = App(
    name="babychain",
    help="Chains of image and video models, run by Temporal.",
    version_flags=[],
    # Commands answer an exit code; without this a code of 0 would be printed.
    result_action="return_value",
    exit_on_error=False,
    suppress_keyboard_interrupt=False,
)
app.command(run)
app.command(get)
app.command(list_, name="list")
app.command(watch)
app.command(cancel)
app.command(retry)
app.command(estimate)
app.command(templates)
app.command(models)
app.command(deliveries)
app.command(providers)
app.command(keys)
app.command(serve)
app.command(setup)
app.command(dev)
app.command(demo)
app.register_install_completion_command(help="Install completion of commands and flags for your shell.")


def main() -> None:
    try:
        sys.exit(app())
    except CycloptsError:
        # It has been printed.
        sys.exit(Exit.MISUSED)
    except CommandFailed as error:
        _complain(str(error), error.details)
    except BabyChainError as error:
        _complain(error.message)
    except babychain_client.BabyChainError as error:
        _complain_of_api(error)
        sys.exit(exit_of_error(error))
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
    sys.exit(Exit.FAILED)


def _complain(message: str, details: tuple[str, ...] = ()) -> None:
    for line in details:
        print(f"  {line}", file=sys.stderr)
    print(f"babychain: {message}", file=sys.stderr)


def _complain_of_api(error: babychain_client.BabyChainError) -> None:
    """To a script that asked for JSON in JSON, on the same stream: standard output holds answers alone."""
    if "--json" in sys.argv:
        told = {"message": str(error), "code": getattr(error, "code", type(error).__name__), "run_id": error.run_id}
        print(json.dumps({"error": told}), file=sys.stderr)
        return
    guidance = error.guidance if isinstance(error, babychain_client.ApiError) else {}
    _complain("\n  → ".join([str(error), *guidance.get("what_to_try_next", ())]))

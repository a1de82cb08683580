"""The command line: one name per module of this folder."""

import json
import sys
from collections.abc import Iterable
from importlib.metadata import version

from cyclopts import App, CycloptsError, Group

import babychain_client
from cli.failures import CommandFailed, Exit, exit_of_error
from domain.errors import BabyChainError

COMMANDS = {
    "Runs": {
        "run": ("cli.run:run", "Start a run: from flags, JSON or a file."),
        "get": ("cli.runs:get", "Show a run as it is now."),
        "list": ("cli.runs:list_", "Show your runs."),
        "watch": ("cli.runs:watch", "Draw how a run goes until it ends."),
        "cancel": ("cli.runs:cancel", "Stop a run."),
        "retry": ("cli.runs:retry", "Start an ended run again, and keep what it has made."),
        "estimate": ("cli.run:estimate", "Show what a run would cost and do."),
    },
    "What can be run": {
        "templates": ("cli.catalogue:templates", "Show the chains."),
        "models": ("cli.catalogue:models", "Show the models, or the parameters of one."),
    },
    "Callbacks": {
        "deliveries": ("cli.deliveries:deliveries", "Show what became of callbacks, send one again, send a test."),
        "listen": ("cli.listen:listen", "Forward callbacks to an address of this machine, signed anew."),
    },
    "The deployment": {
        "providers": ("cli.providers:app", "Provider accounts: how they do, and their switches."),
        "keys": ("cli.keys:keys", "Caller keys: create, list, rotate, revoke."),
        "doctor": ("cli.doctor:doctor", "Look at every part, and say what helps where one is not well."),
        "serve": ("cli.serve:serve", "Run one part until it is stopped."),
        "setup": ("cli.setup:setup", "Prepare Temporal and the database."),
        "mcp": ("cli.mcp:mcp", "Serve the API to agents, over the Model Context Protocol."),
        "dev": ("cli.dev:dev", "Run everything on this machine until Ctrl-C."),
        "demo": ("cli.demo:demo", "Run everything, one chain to its end, and check what comes out."),
    },
}
"""Imported when asked for: `babychain get` need not wait for all that `babychain dev` is made of."""

app = App(
    name="babychain",
    help="Chains of image and video models, run by Temporal.",
    version=lambda: version("babychain-temporal"),
    version_flags=["--version"],
    # Commands answer an exit code; without this a code of 0 would be printed.
    result_action="return_value",
    exit_on_error=False,
    suppress_keyboard_interrupt=False,
)
for title, commands in COMMANDS.items():
    group = Group.create_ordered(title)
    for name, (place, says) in commands.items():
        app.command(place, name=name, help=says, group=group)
app.register_install_completion_command(help="Install completion of commands and flags for your shell.")


def main() -> None:
    try:
        sys.exit(app())
    except CycloptsError:
        # It has been printed.
        sys.exit(Exit.MISUSED)
    except CommandFailed as error:
        _complain(str(error), details=error.details)
        sys.exit(error.exit_code)
    except BabyChainError as error:
        _complain(error.message, error.reason)
    except babychain_client.ApiError as error:
        advice = error.guidance.get("what_to_try_next", ())
        _complain("\n  → ".join([str(error), *advice]), error.code)
        sys.exit(exit_of_error(error))
    except babychain_client.ConnectionFailed as error:
        _complain(
            f"{error} Start it (`babychain dev`) or set BABYCHAIN_URL." if error.unreached else str(error),
            run_id=error.run_id,
        )
        sys.exit(exit_of_error(error))
    except babychain_client.BabyChainError as error:
        _complain(str(error), run_id=error.run_id)
        sys.exit(exit_of_error(error))
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
    sys.exit(Exit.FAILED)


def _complain(message: str, code: str | None = None, *, run_id: str | None = None, details: Iterable[str] = ()) -> None:
    """On standard error, in JSON to whoever asked for JSON: standard output holds answers alone."""
    if "--json" in sys.argv:
        print(json.dumps({"error": {"code": code, "message": message, "run_id": run_id}}), file=sys.stderr)
        return
    for line in details:
        print(f"  {line}", file=sys.stderr)
    print(f"babychain: {message}", file=sys.stderr)

"""The command line: one name per module of this folder."""

import json
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from cyclopts import App, CycloptsError, Group

import babychain_client
from cli.failures import CommandFailed, Exit, exit_of_error, told
from domain.errors import BabyChainError

COMMANDS = {
    "Runs": {
        "run": "cli.run:run",
        "get": "cli.runs:get",
        "list": "cli.runs:list_",
        "watch": "cli.runs:watch",
        "cancel": "cli.runs:cancel",
        "retry": "cli.runs:retry",
        "estimate": "cli.run:estimate",
    },
    "What can be run": {
        "templates": "cli.catalogue:templates",
        "models": "cli.catalogue:models",
    },
    "Callbacks": {
        "deliveries": "cli.deliveries:deliveries",
        "listen": "cli.listen:listen",
    },
    "The deployment": {
        "providers": "cli.providers:app",
        "keys": "cli.keys:keys",
        "doctor": "cli.doctor:doctor",
        "serve": "cli.serve:serve",
        "setup": "cli.setup:setup",
        "mcp": "cli.mcp:mcp",
        "dev": "cli.dev:dev",
        "demo": "cli.demo:demo",
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
    print_error=False,
    suppress_keyboard_interrupt=False,
)
for title, commands in COMMANDS.items():
    group = Group.create_ordered(title)
    for name, place in commands.items():
        app.command(place, name=name, group=group)
app.register_install_completion_command(help="Install completion of commands and flags for your shell.")


def main() -> None:
    code = _run()
    try:
        print(end="", flush=True)
    except OSError:
        # It has been told. What is still to be written must not fail once more at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _run() -> int:
    """The exit code. Whatever was foreseen is told in words."""
    code: int = Exit.FAILED
    if not sys.argv[1:] or sys.argv[1] in app.help_flags:
        # The list of commands has the first sentence of each, which cyclopts shows of those that are imported.
        app.resolved_commands()
    try:
        code = app() or Exit.DONE
        print(end="", flush=True)
    except CycloptsError as error:
        _complain(str(error))
        code = Exit.MISUSED
    except CommandFailed as error:
        _complain(str(error), details=error.details)
        code = error.exit_code
    except BabyChainError as error:
        _complain(error.message, error.reason)
    except babychain_client.BabyChainError as error:
        _complain(told(error), getattr(error, "code", None), run_id=error.run_id)
        code = exit_of_error(error)
    except BrokenPipeError:
        # Whoever reads us has seen enough, as `head` has.
        code = Exit.FAILED
    except OSError as error:
        # A disk that is full, a folder that may not be written to.
        _complain(": ".join(str(one) for one in (error.filename, error.strerror or error) if one))
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
    return code


def _complain(message: str, code: str | None = None, *, run_id: str | None = None, details: Sequence[str] = ()) -> None:
    """On standard error, in JSON to whoever asked for JSON: standard output holds answers alone."""
    if "--json" in sys.argv:
        said = {"code": code, "message": message, "run_id": run_id} | ({"details": list(details)} if details else {})
        print(json.dumps({"error": said}), file=sys.stderr)
        return
    for line in details:
        print(f"  {line}", file=sys.stderr)
    print(f"babychain: {message}", file=sys.stderr)

"""A question that only a person can answer, in the middle of a command."""

import signal
import sys

from rich.console import Console
from rich.prompt import Confirm

from cli.failures import CommandFailed, Interrupted


def confirm(question: str, console: Console, *, otherwise: str) -> None:
    """Returns after a yes. `otherwise` says how things are after anything else, such as "Nothing was started"."""
    if not sys.stdin.isatty():
        raise CommandFailed(f"{otherwise}: say --yes where nobody can be asked.")
    # While somebody thinks, the loop stands still, and with it the Ctrl-C that `cli.signals` would hear.
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        said = Confirm.ask(question, console=console, default=False)
    except (KeyboardInterrupt, EOFError):
        raise Interrupted(f"{otherwise}.") from None
    finally:
        signal.signal(signal.SIGINT, heard)
    if not said:
        raise CommandFailed(f"{otherwise}.")

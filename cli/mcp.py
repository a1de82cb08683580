"""`babychain mcp`: the API for agents, on standard input and output."""

import os
import signal

from cli.failures import CommandFailed, Exit
from cli.session import api_url, caller_key, connect_async


def mcp() -> int:
    """Serve the API to agents: tools to estimate, run, get and cancel. Needs the extra `mcp`."""
    try:
        from cli.mcp_tools import server  # noqa: PLC0415 - an optional package
    except ImportError as error:
        raise CommandFailed("The MCP server is an extra: pip install 'babychain-temporal[mcp]'.") from error
    # Before anything listens: inside the server a fault of the environment drowns in what it tears down.
    api_url(os.environ)
    caller_key(os.environ)
    # Standard input is read in a thread that nothing wakes. There is nothing to put away, so Ctrl-C may just end us.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    server(connect_async).run("stdio")
    return Exit.DONE

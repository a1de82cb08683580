"""`babychain mcp`: the API for agents, on standard input and output."""

import os

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
    server(connect_async).run("stdio")
    return Exit.DONE

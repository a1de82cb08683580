"""The sandbox is asked as the providers' users ask it, over real HTTP."""

from tests.support.emptied_sandbox import http, receiver, sandbox, sandbox_url

__all__ = ["http", "receiver", "sandbox", "sandbox_url"]

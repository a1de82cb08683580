"""BabySea's execution API, from its documentation and SDK of 2026 (docs.babysea.ai), with the account's dashboard."""

from sandbox.providers.babysea.errors import NAME
from sandbox.providers.babysea.routes import router

__all__ = ["NAME", "router"]

"""RelayDance's video gateway, as its pages of 2026 describe it and clients have met it (relaydance.com)."""

from sandbox.providers.relaydance.errors import NAME
from sandbox.providers.relaydance.routes import router

__all__ = ["NAME", "router"]

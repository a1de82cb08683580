"""BytePlus ModelArk: Seedream pictures (synchronous) and Seedance videos (tasks), as documented in 2026."""

from sandbox.providers.byteplus.errors import NAME
from sandbox.providers.byteplus.routes import router

__all__ = ["NAME", "router"]

"""Black Forest Labs' FLUX API, as documented in the OpenAPI description and guides of 2026 (docs.bfl.ai)."""

from sandbox.providers.bfl.routes import NAME, router

__all__ = ["NAME", "router"]

"""Bach's image-to-video API, as its pages of 2026 describe it. What they leave out is marked as inferred."""

from sandbox.providers.bach.routes import router
from sandbox.providers.bach.wording import NAME

__all__ = ["NAME", "router"]

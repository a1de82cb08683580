"""Alibaba's Wan image-to-video models, behind a gateway's paths and DashScope's own, over one store of tasks."""

from sandbox.providers.bailian.errors import NAME
from sandbox.providers.bailian.routes import router

__all__ = ["NAME", "router"]

"""The application: every provider found in the folder, result files, and the control routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from sandbox import control, results
from sandbox.config import Config
from sandbox.providers import discover
from sandbox.world import create_world


def create_app(config: Config) -> FastAPI:
    providers = discover()
    world = create_world(config, providers)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await world.close()

    # No provider redirects a path that lacks or has a slash too many.
    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.include_router(control.router(world))
    app.include_router(results.router(world.results))
    for name, provider in providers.items():
        app.include_router(provider.router(world), prefix=f"/{name}")
    return app

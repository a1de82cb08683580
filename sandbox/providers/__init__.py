"""The providers: whatever modules this folder holds, each with a `NAME` and a `router(world)`, mounted at `/<NAME>`."""

import importlib
import pkgutil
from typing import Protocol, cast

from fastapi import APIRouter

from sandbox.world import World


class ProviderModule(Protocol):
    NAME: str

    def router(self, world: World) -> APIRouter: ...


def discover() -> dict[str, ProviderModule]:
    names = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
    modules = [cast("ProviderModule", importlib.import_module(f"{__name__}.{name}")) for name in names]
    return {module.NAME: module for module in modules}

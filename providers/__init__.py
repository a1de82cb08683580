"""Provider adapters: one file each. Whatever this folder holds is offered; nothing else lists them.

A module has `NAME`, `KEY_NAME` (the environment variable of its key), `MODELS`, and
`create(env, http) -> Provider | None`, which answers None when the key is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import httpx

from domain.catalogue import Catalogue
from domain.errors import SetupError
from domain.provider import ModelCard, Provider


@dataclass(frozen=True)
class Loaded:
    """What the folder offers in this environment."""

    providers: Mapping[str, Provider]
    models: Mapping[str, ModelCard]
    key_names: Mapping[str, str]

    def catalogue(self, *, mode: str, webhooks_reach_us: bool) -> Catalogue:
        return Catalogue(
            models=self.models,
            offered=frozenset(self.providers),
            key_names=self.key_names,
            mode=mode,
            webhooks_reach_us=webhooks_reach_us,
        )


def modules() -> list[ModuleType]:
    """Every adapter module; a broken one stops the start."""
    return [
        import_module(f"{__name__}.{module.name}")
        for module in iter_modules(__path__)
        if not module.name.startswith("_")
    ]


def load(env: Mapping[str, str], http: httpx.AsyncClient) -> Loaded:
    providers: dict[str, Provider] = {}
    models: dict[str, ModelCard] = {}
    key_names: dict[str, str] = {}
    for module in modules():
        if twice := models.keys() & module.MODELS.keys():
            raise SetupError(f"two adapters offer {sorted(twice)}")
        models |= module.MODELS
        key_names[module.NAME] = module.KEY_NAME
        if (provider := module.create(env, http)) is not None:
            providers[module.NAME] = provider
    return Loaded(providers, dict(sorted(models.items())), key_names)


def sandbox_environment(url: str) -> dict[str, str]:
    """Every adapter pointed at the sandbox, with a key that opens nothing else."""
    env: dict[str, str] = {}
    for module in modules():
        env[module.KEY_NAME] = f"sandbox-{module.NAME}"
        env[module.KEY_NAME.replace("_API_KEY", "_API_BASE_URL")] = f"{url.rstrip('/')}/{module.NAME}"
    return env

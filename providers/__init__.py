"""Provider adapters: one file each. Whatever this folder holds is offered; nothing else lists them.

A module has `NAME`, `KEY_NAME` (the environment variable of its key), `MODELS`, and
`create(env, http) -> Provider | None`, which answers None when the key is missing. One that serves the same model ids
in a mode of its own names that mode in `MODE`.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import httpx

from domain.catalogue import Catalogue
from domain.errors import SetupError
from domain.provider import ModelCard, Provider

_SHARED = ""


@dataclass(frozen=True)
class Loaded:
    """What the folder offers in this environment."""

    providers: Mapping[str, Provider]
    models: Mapping[str, ModelCard]
    key_names: Mapping[str, str]
    of_mode: Mapping[str, Mapping[str, ModelCard]] = field(default_factory=dict)
    """The models of a mode that has its own. All other modes share `models`."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """How many jobs each account may run at once, where its sheet says so."""

    def catalogue(self, *, mode: str, webhooks_reach_us: bool) -> Catalogue:
        return Catalogue(
            models=self.of_mode.get(mode, self.models),
            offered=frozenset(self.providers),
            key_names=self.key_names,
            mode=mode,
            webhooks_reach_us=webhooks_reach_us,
        )


def modules() -> list[ModuleType]:
    """The adapters that all modes share."""
    return [module for module in every_module() if mode_of(module) == _SHARED]


def every_module() -> list[ModuleType]:
    """Those of a mode of their own too. A broken one stops the start."""
    return [
        import_module(f"{__name__}.{module.name}")
        for module in iter_modules(__path__)
        if not module.name.startswith("_")
    ]


def load(env: Mapping[str, str], http: httpx.AsyncClient) -> Loaded:
    providers: dict[str, Provider] = {}
    by_mode: defaultdict[str, dict[str, ModelCard]] = defaultdict(dict)
    key_names: dict[str, str] = {}
    limits: dict[str, int] = {}
    for module in every_module():
        models = by_mode[mode_of(module)]
        if twice := models.keys() & module.MODELS.keys():
            raise SetupError(f"two adapters offer {sorted(twice)}")
        models |= module.MODELS
        key_names[module.NAME] = module.KEY_NAME
        if (limit := getattr(module, "LIMIT", None)) is not None:
            limits[module.NAME] = limit
        if (provider := module.create(env, http)) is not None:
            providers[module.NAME] = provider
    ordered = {mode: dict(sorted(models.items())) for mode, models in by_mode.items()}
    return Loaded(providers, ordered.pop(_SHARED), key_names, ordered, limits)


def mode_of(module: ModuleType) -> str:
    """The mode that a module has for itself; most have none, and are there in every other one."""
    return str(getattr(module, "MODE", _SHARED))


def sandbox_environment(url: str) -> dict[str, str]:
    """Every adapter pointed at the sandbox, with a key that opens nothing else."""
    env: dict[str, str] = {}
    for module in modules():
        env[module.KEY_NAME] = f"sandbox-{module.NAME}"
        env[module.KEY_NAME.replace("_API_KEY", "_API_BASE_URL")] = f"{url.rstrip('/')}/{module.NAME}"
    return env

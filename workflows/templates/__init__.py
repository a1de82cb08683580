"""Chain templates: one file each. Whatever this folder holds is offered; nothing else lists them."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from workflows.chain import ChainWorkflow


def load_templates() -> Mapping[str, type[ChainWorkflow]]:
    """Workflow classes by slug. Each carries its `template`."""
    workflows: dict[str, type[ChainWorkflow]] = {}
    for module in iter_modules(__path__):
        for value in vars(import_module(f"{__name__}.{module.name}")).values():
            if not (isinstance(value, type) and issubclass(value, ChainWorkflow) and value is not ChainWorkflow):
                continue
            if value.template.slug in workflows:
                raise ValueError(f"two templates are named {value.template.slug!r}")
            workflows[value.template.slug] = value
    return dict(sorted(workflows.items()))

"""Chain templates: one file each. Whatever this folder holds is offered; nothing else lists them."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from domain.chains import ChainTemplate


def load_templates() -> Mapping[str, type]:
    """Workflow classes by slug. Each carries its `template`."""
    workflows: dict[str, type] = {}
    for module in iter_modules(__path__):
        for value in vars(import_module(f"{__name__}.{module.name}")).values():
            template = getattr(value, "template", None)
            if isinstance(value, type) and isinstance(template, ChainTemplate):
                if template.slug in workflows:
                    raise ValueError(f"two templates are named {template.slug!r}")
                workflows[template.slug] = value
    return dict(sorted(workflows.items()))

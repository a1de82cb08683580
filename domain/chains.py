"""Chain templates: data only. A template is frozen into the plan of each run it starts."""

from dataclasses import dataclass

from domain.media import MediaKind

RESERVED_SLUGS = frozenset({"runs", "get", "cancel", "estimate"})


@dataclass(frozen=True)
class Step:
    key: str
    title: str
    kind: MediaKind
    default_model: str
    takes: tuple[str, ...] = ()
    """Keys of earlier steps whose output this step continues from."""
    starts_from_picture: bool = False
    """The caller supplies this step's input picture."""


@dataclass(frozen=True)
class ChainTemplate:
    slug: str
    version: str
    title: str
    description: str
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if self.slug in RESERVED_SLUGS:
            raise ValueError(f"template slug {self.slug!r} is reserved for a route of the API")
        seen: set[str] = set()
        for step in self.steps:
            if missing := set(step.takes) - seen:
                raise ValueError(
                    f"step {step.key!r} of {self.slug!r} takes {sorted(missing)} which do not come before it"
                )
            if step.key in seen:
                raise ValueError(f"{self.slug!r} has two steps {step.key!r}")
            seen.add(step.key)

    def step(self, key: str) -> Step:
        return next(step for step in self.steps if step.key == key)

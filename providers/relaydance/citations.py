"""How a prompt cites its pictures, and what is wrong or doubtful once those of the step are counted too."""

import re
from collections.abc import Callable, Iterable

from domain.errors import Fault
from domain.provider import Params
from providers.relaydance.references import FIRST_FRAME, LAST_FRAME, content_of

_CITATION = re.compile(r"@image([0-9]+)")


def with_citation(prompt: str) -> str:
    """The documented flow always cites. Inferred: a picture that nothing cites might count for nothing."""
    return prompt if _CITATION.search(prompt) else f"@image1 {prompt}"


def cites_beyond(prompt: str, pictures: int) -> bool:
    """Compared as text: `@image10` is not `@image1`, and nobody knows what `@image01` would be."""
    return not set(_CITATION.findall(prompt)) <= {str(number) for number in range(1, pictures + 1)}


def check_pictures(params: Params, pictures: int) -> list[Fault]:
    """What can only be judged once it is known how many pictures come on top of the parameters' own content."""
    roles, faults = _roles(params), []
    if pictures > roles.count(FIRST_FRAME) and _has_frames(roles):
        faults.append(both_ways())
    count = _count(roles, pictures)
    if cites_beyond(params["prompt"], count):
        there = f"there are {count} pictures" if count else "there is no picture"
        faults.append(Fault(("prompt",), f"cites a picture that is not there: {there}, numbered from @image1"))
    return faults


def both_ways() -> Fault:
    return Fault(
        ("metadata", "content"),
        "must hold either references or a first and last frame: they exclude each other, "
        "and a start picture that is named elsewhere is a reference",
    )


def warn_pictures(*, at_its_maker: int | None) -> Callable[[Params, int], list[Fault]]:
    """`at_its_maker`: how many pictures the model takes there, where RelayDance itself says nothing."""

    def warn(params: Params, pictures: int) -> list[Fault]:
        return list(_warn(params, pictures, at_its_maker))

    return warn


def _warn(params: Params, pictures: int, at_its_maker: int | None) -> Iterable[Fault]:
    roles = _roles(params)
    count = _count(roles, pictures)
    if at_its_maker is not None and count > at_its_maker:
        yield Fault(
            ("metadata", "content"), f"{count} pictures: at its maker the model takes {at_its_maker} and no more"
        )
    cited = _CITATION.findall(with_citation(params["prompt"]))
    uncited = [f"@image{number}" for number in range(1, count + 1) if str(number) not in cited]
    if uncited and not _has_frames(roles):
        yield Fault(("prompt",), f"prompt: never cites {', '.join(uncited)}; such a picture may count for nothing")


def _roles(params: Params) -> list[str]:
    return [item["role"] for item in content_of(params) if item["type"] == "image_url"]


def _has_frames(roles: list[str]) -> bool:
    return FIRST_FRAME in roles or LAST_FRAME in roles


def _count(roles: list[str], pictures: int) -> int:
    """A first frame in the content is the step's own picture, which has been counted with it."""
    return len(roles) + max(pictures - roles.count(FIRST_FRAME), 0)

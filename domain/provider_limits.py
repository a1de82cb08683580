"""How many jobs a provider account may run at once: each adapter's own word, unless the operator says otherwise."""

from collections.abc import Collection, Mapping

from domain.errors import SetupError

VARIABLE = "BABYCHAIN_PROVIDER_LIMITS"


def account_limits(text: str, usual: Mapping[str, int], names: Collection[str]) -> dict[str, int]:
    """From `bfl=3,byteplus=10`, over what the adapters say; `bfl=off` takes a limit away."""
    limits = dict(usual)
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, limit = (part.strip().lower() for part in entry.partition("="))
        if name not in names:
            raise SetupError(f"{VARIABLE} names {name[:64]!r}; the providers here are {', '.join(sorted(names))}.")
        if limit == "off":
            limits.pop(name, None)
        elif limit.isascii() and limit.isdecimal() and int(limit) > 0:
            limits[name] = int(limit)
        else:
            raise SetupError(f"{VARIABLE} needs a number above 0, or 'off', behind {name}=.")
    return limits

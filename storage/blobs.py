"""Where bytes live: a local folder or a bucket, opened from one URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from domain.errors import SetupError, UnavailableError

_SCHEMES = ("file", "s3", "gs", "az", "memory")


def open_store(url: str) -> ObjectStore:
    """`file:///folder` (made if absent), `s3://bucket/prefix`, `gs://...`, `az://...`; `memory:///` forgets.

    Buckets take their credentials from the environment names of their own clouds.
    """
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise SetupError(f"BABYCHAIN_ASSETS_URL must start with one of {', '.join(_SCHEMES)}.")
    try:
        if parts.scheme == "file":
            folder = Path(unquote(parts.path))
            folder.mkdir(parents=True, exist_ok=True)
            return LocalStore(folder)
        return from_url(url)
    except (BaseError, ValueError, OSError) as error:
        raise SetupError(f"BABYCHAIN_ASSETS_URL ({parts.scheme}) cannot be opened.") from error


@contextmanager
def answering_store() -> Iterator[None]:
    """The store's own errors, a full disk among them, become one that may be retried. Absence passes through."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise UnavailableError("The asset store does not answer.", code="assets_unreachable") from error

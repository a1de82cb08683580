"""Fetch a file that somebody else names: bounded in size, in silence and in time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from domain.errors import OutputInvalid, Refused
from net.guard import ResponseTooLarge
from net.paid import retry_after
from net.resolve import BlockedAddress

_STALL_SECONDS = 20.0
# Besides the plain ones: object stores answer 400 (GCS, S3 with temporary keys) and 401 for a signature that ran out.
_LINK_IS_DEAD = frozenset({400, 401, 403, 404, 410})
_TRY_AGAIN = frozenset({408, 425, 429})


class LinkExpired(OutputInvalid):
    """The link does not lead to the file (any more). The provider may give a fresh one."""

    code = "provider_output_expired"


@asynccontextmanager
async def download(
    client: httpx.AsyncClient,
    url: str,
    *,
    max_bytes: int,
    timeout: float,  # noqa: ASYNC109 - the body is read by the caller, so no `async with` of ours could bound it
) -> AsyncIterator[AsyncIterator[bytes]]:
    """`async with download(...) as chunks`: the body as it comes. `timeout` is for the whole of it.

    LinkExpired: ask for a fresh link. Refused: ask again here. Any other OutputInvalid: this file will not do.
    """
    deadline = asyncio.get_running_loop().time() + timeout
    stall = min(_STALL_SECONDS, timeout)
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise OutputInvalid("The file's address is not a URL.") from error
    host = address.host
    request = client.build_request(
        "GET",
        address,
        headers={"Accept-Encoding": "identity"},
        timeout=httpx.Timeout(stall, connect=min(10.0, timeout)),
        extensions={"max_response": max_bytes},
    )
    try:
        async with asyncio.timeout_at(deadline):
            response = await client.send(request, stream=True, follow_redirects=False)
    except (httpx.HTTPError, TimeoutError) as error:
        raise _failure(error, host, max_bytes) from error
    try:
        _check_head(response, host, max_bytes)
        yield _chunks(response, host, max_bytes, deadline)
    finally:
        await response.aclose()


def _check_head(response: httpx.Response, host: str, max_bytes: int) -> None:
    status = response.status_code
    if status in _LINK_IS_DEAD:
        raise LinkExpired(f"The link to the file at {host!r} is dead (HTTP {status}).", facts={"status": status})
    if status >= 500 or status in _TRY_AGAIN:
        raise Refused(
            f"{host!r} cannot give the file now (HTTP {status}).",
            code="provider_network_error",
            retry_after=retry_after(response.headers),
            facts={"status": status},
        )
    if status != 200:
        raise OutputInvalid(f"{host!r} answered HTTP {status} instead of the file.", facts={"status": status})
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise OutputInvalid(f"{host!r} sent the file encoded, though we asked for it plain.")
    if int(response.headers.get("content-length", "0")) > max_bytes:
        raise _too_large(host, max_bytes)


async def _chunks(response: httpx.Response, host: str, max_bytes: int, deadline: float) -> AsyncIterator[bytes]:
    body = response.aiter_raw()
    seen = 0
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                chunk = await anext(body)
        except StopAsyncIteration:
            return
        except (httpx.HTTPError, TimeoutError) as error:
            raise _failure(error, host, max_bytes) from error
        seen += len(chunk)
        if seen > max_bytes:
            raise _too_large(host, max_bytes)
        yield chunk


def _failure(error: Exception, host: str, max_bytes: int) -> OutputInvalid | Refused:
    if isinstance(error, BlockedAddress):
        return OutputInvalid(f"The file's address at {host!r} is not one we may call.")
    if isinstance(error, ResponseTooLarge):
        return _too_large(host, max_bytes)
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return Refused(f"{host!r} was too slow with the file.", code="provider_network_error")
    return Refused(f"The connection to {host!r} broke.", code="provider_network_error")


def _too_large(host: str, max_bytes: int) -> OutputInvalid:
    return OutputInvalid(f"The file at {host!r} is larger than {max_bytes} bytes.", facts={"limit": max_bytes})

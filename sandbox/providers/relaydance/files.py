"""The upload: a file in, an address out that really serves it. It starts nothing and costs nothing."""

import secrets

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from sandbox.config import Config
from sandbox.providers.relaydance.errors import NAME, Refusal, error

MOST_BYTES = 20 * 1024 * 1024  # inferred, as the types are: RelayDance publishes neither
_TYPES = ("image/jpeg", "image/png", "image/webp", "video/", "audio/")
_KEPT_BYTES = 1 << 28  # a sandbox left running for days must not fill memory: the oldest files go


class Files:
    def __init__(self, config: Config) -> None:
        self._config = config
        self._files: dict[str, tuple[bytes, str]] = {}

    async def keep(self, file: UploadFile | str | None) -> Response:
        if not isinstance(file, UploadFile):
            raise Refusal(400, "file: Field required")
        data, media_type = await file.read(), file.content_type or ""
        if len(data) > MOST_BYTES:
            raise Refusal(413, "The file is too large.")
        if not data or not media_type.startswith(_TYPES):
            raise Refusal(415, f"Files of type {media_type!r} are not supported.")
        name = f"{secrets.token_hex(8)}.{media_type.rpartition('/')[2]}"
        self._files[name] = (data, media_type)
        while sum(len(kept) for kept, _ in self._files.values()) > _KEPT_BYTES:
            self._files.pop(next(iter(self._files)))
        url = f"{self._config.other_url}/{NAME}/u/{name}"
        return JSONResponse({"id": f"file_{secrets.token_hex(4)}", "url": url})

    def fetch(self, name: str) -> Response:
        if name not in self._files:
            return error(404, "There is no such file.")
        data, media_type = self._files[name]
        return Response(data, media_type=media_type)


async def form_of(request: Request) -> FormData:
    """What is no multipart body counts as one without the file."""
    try:
        return await request.form()
    except HTTPException:
        return FormData()

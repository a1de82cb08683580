"""The console's files: what they weigh, how they are kept, and that nothing comes from elsewhere."""

import re

import httpx

from api.console_files import FOLDER, ConsoleFiles
from tests.support.service import Service

MOST = 150_000


async def _page(anyone: httpx.AsyncClient) -> httpx.Response:
    answer = await anyone.get("/")
    assert answer.status_code == 200
    return answer


async def test_the_page_and_its_files_weigh_less_than_150_kb(service: Service) -> None:
    weights: dict[str, int] = {}
    version = ConsoleFiles.read().version
    for name in ["", *(f"console/{version}/{path.name}" for path in FOLDER.iterdir() if path.name != "index.html")]:
        async with service.anyone.stream("GET", f"/{name}", headers={"accept-encoding": "gzip"}) as answer:
            assert answer.status_code == 200, name
            assert answer.headers["content-encoding"] == "gzip"
            weights[name] = sum([len(part) async for part in answer.aiter_raw()])
    assert sum(weights.values()) < MOST, weights


async def test_the_page_is_asked_for_again_and_its_files_never(service: Service) -> None:
    page = await _page(service.anyone)
    assert page.headers["cache-control"] == "no-cache"
    again = await service.anyone.get("/", headers={"if-none-match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name in re.findall(r'"(/console/[^"]+)"', page.text):
        answer = await service.anyone.get(name)
        assert answer.status_code == 200, name
        assert "immutable" in answer.headers["cache-control"]
    old = await service.anyone.get("/console/0000000000000000/app.js")
    assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")


async def test_the_policy_allows_neither_inline_code_nor_another_origin(service: Service) -> None:
    for answer in (await _page(service.anyone), await service.anyone.get("/console/x/app.js")):
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_names_outside_the_folder_are_not_found(service: Service) -> None:
    for name in ("nothing.js", "..%2Fsettings.py", "%2e%2e%2fsettings.py", "index.html"):
        assert (await service.anyone.get(f"/console/x/{name}")).status_code == 404


def test_no_file_asks_another_place_or_parses_text_as_markup() -> None:
    for path in FOLDER.iterdir():
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"""["'(]https?://\w""", text), path.name
        assert not re.search(r"(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\b|new Function", text), (
            path.name
        )

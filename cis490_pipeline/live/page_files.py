"""The page's files, as they were when the server was started.

Media types are listed here: what the system's own list says differs from machine to machine, and a
browser runs no module of another type. A file of a type that is not listed is not served.

Not here: what stands in them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from cis490_pipeline.live import refusals

PAGE_DIRECTORY: Final = Path(__file__).with_name("page")
INDEX: Final = "index.html"
_TEXT: Final = "; charset=utf-8"
MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".html": "text/html" + _TEXT,
    ".css": "text/css" + _TEXT,
    ".js": "text/javascript" + _TEXT,
    ".mjs": "text/javascript" + _TEXT,
    ".json": "application/json",
    ".txt": "text/plain" + _TEXT,
    ".md": "text/plain" + _TEXT,
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
}
_LICENSES: Final = frozenset({"LICENSE", "LICENCE", "NOTICE"})


@dataclass(frozen=True, slots=True)
class _File:
    data: bytes
    media_type: str
    etag: str


class PageFiles:
    """Files by their path below the page's directory; nothing else can be asked for."""

    def __init__(self, directory: Path = PAGE_DIRECTORY) -> None:
        self._files = {
            path.relative_to(directory).as_posix(): _read(path, media_type)
            for path in sorted(directory.rglob("*"))
            if path.is_file() and (media_type := _media_type(path)) is not None
        }

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._files)

    async def serve(self, request: Request) -> Response:
        """Give a file; the directory itself is its ``index.html``."""
        path = request.path_params.get("path", "") or INDEX
        file = self._files.get(path)
        if file is None:
            return (refusals.NO_PAGE if path == INDEX else refusals.NO_ROUTE).response()
        headers = {"ETag": file.etag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == file.etag:
            return Response(status_code=304, headers=headers)
        return Response(file.data, headers={**headers, "Content-Type": file.media_type})


def _media_type(path: Path) -> str | None:
    if path.name in _LICENSES:
        return MEDIA_TYPES[".txt"]
    return MEDIA_TYPES.get(path.suffix)


def _read(path: Path, media_type: str) -> _File:
    data = path.read_bytes()
    return _File(data, media_type, f'"{hashlib.sha256(data).hexdigest()}"')

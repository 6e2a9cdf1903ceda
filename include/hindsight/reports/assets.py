"""The files a page with charts loads, from this package and no other host: uPlot, what we do with it, and styles.

A name carries a digest of what is in it, so that a browser may keep a file for good. uPlot 1.6.32 is as its authors
built it, under the MIT licence that lies beside it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

_FOLDER = Path(__file__).parent / "assets"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


def _named(path: Path) -> tuple[str, bytes]:
    content = path.read_bytes()
    return f"{path.stem}.{hashlib.sha256(content).hexdigest()[:12]}{path.suffix}", content


_NAMED = {path.name: _named(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}
_CONTENT = dict(_NAMED.values())

NAMES = {file: name for file, (name, _) in _NAMED.items()}
"""The name to ask for of each file: `plots.js` is served as `plots.<digest>.js`."""


def asset(name: str) -> tuple[bytes, str] | None:
    """Return the content and the media type of a file by the name it is served as; None where there is none."""
    content = _CONTENT.get(name)
    return None if content is None else (content, _TYPES[Path(name).suffix])

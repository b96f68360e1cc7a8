"""Keep what probes found in files under the user's cache folder, so that each probe runs once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mimgraph.support.files import write_whole

FOLDER = "MIMGRAPH_CACHE"  # the environment variable with the folder to use
FORMAT = 2  # of the files: a later one does not read these
LARGEST = 4_000_000  # bytes of one file
MOST = 500  # files: the oldest are removed

Found = dict[str, Any]


def remembered(question: Mapping[str, Any], probe: Callable[[], Found]) -> Found:
    """Return the answer to a question, plain data as JSON holds it; `probe` finds it if no file has it."""
    found = recalled(question)
    if found is None:
        found = probe()
        path, asked = _place(question)
        _write(path, json.dumps({"asked": asked, "found": found, "digest": _digest(found)}))
    return found


def recalled(question: Mapping[str, Any]) -> Found | None:
    """Return the answer to a question that a file has; None if there is none."""
    return _read(*_place(question))


def _place(question: Mapping[str, Any]) -> tuple[Path, str]:
    """Return the file of a question, and its text."""
    asked = json.dumps({"format": FORMAT, **question}, sort_keys=True)
    return folder() / f"{hashlib.sha256(asked.encode()).hexdigest()[:32]}.json", asked


def folder() -> Path:
    """Return the folder of the files."""
    if given := os.environ.get(FOLDER):
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "mimgraph" / "encoders"


def _read(path: Path, asked: str) -> Found | None:
    """Return the answer in a file; None if there is none, or it is damaged or of another question."""
    try:
        if path.stat().st_size > LARGEST:
            return None
        kept = json.loads(path.read_bytes())
        found = kept["found"]
        is_whole = kept["asked"] == asked and kept["digest"] == _digest(found)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return found if is_whole and isinstance(found, dict) else None


def _digest(found: Found) -> str:
    """Return the digest of an answer, by which a file that was changed is known."""
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def _write(path: Path, text: str) -> None:
    """Write an answer, unless the folder cannot be written to: the cache is no more than a help."""
    if len(text) > LARGEST:
        return
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
        files = sorted(path.parent.glob("*.json"), key=lambda file: file.stat().st_mtime)
        for old in files[:-MOST]:
            old.unlink(missing_ok=True)

"""Files found by a pattern, and written whole: at a path is the old one or the new, never a part."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path


def matching(pattern: str) -> list[str]:
    """The files that a pattern stands for, where the shell did not say; a name stands for itself."""
    if os.path.exists(pattern):
        return [pattern]
    import glob  # a command starts faster without what it may not need

    if not glob.has_magic(pattern):
        return [pattern]
    return sorted(filter(os.path.isfile, glob.iglob(pattern, recursive=True)))


def write_whole(path: str | Path, data: bytes | str) -> None:
    """Write beside `path` and rename; an existing file keeps its mode, a link stays a link.

    What is no regular file (a pipe, /dev/stdout) cannot be replaced, so it is written to.
    """
    content = data.encode() if isinstance(data, str) else data
    target = Path(os.path.realpath(path))
    mode = target.stat().st_mode if target.exists() else None
    if mode is not None and not stat.S_ISREG(mode):
        target.write_bytes(content)
        return
    import secrets  # likewise

    beside = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with open(beside, "xb") as file:
            file.write(content)
        if mode is not None:
            beside.chmod(stat.S_IMODE(mode))
        beside.replace(target)
    except OSError as error:
        # the user asked for `path` and knows of no file beside it
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None
    finally:
        with suppress(OSError):
            beside.unlink()  # there only if something went wrong

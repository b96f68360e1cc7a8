"""Find files by a pattern, and write a file whole: the path has the old file or the new one."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path


def matching(pattern: str) -> list[str]:
    """Return the files that match a pattern, in case the shell did not expand it.

    A name of a file, or without a wildcard, is returned as it is.
    """
    if os.path.exists(pattern):
        return [pattern]
    import glob  # only here, as most commands do not need it

    if not glob.has_magic(pattern):
        return [pattern]
    return sorted(filter(os.path.isfile, glob.iglob(pattern, recursive=True)))


def write_all(files: Mapping[str, bytes]) -> None:
    """Write several files; if one of them cannot be written, those before it get their old bytes back."""
    old: dict[str, bytes] = {path: Path(path).read_bytes() for path in files}
    written: list[str] = []
    try:
        for path, data in files.items():
            write_whole(path, data)
            written.append(path)
    except OSError:
        for path in written:
            write_whole(path, old[path])
        raise


def write_whole(path: str | Path, data: bytes | str) -> None:
    """Write to a new file beside `path` and rename it; the mode of an existing file and a link stay.

    The new file has the old mode before it has content: nobody reads it who could not read the old one.
    A pipe or a device such as /dev/stdout cannot be replaced, so it is written to.
    """
    content = data.encode() if isinstance(data, str) else data
    given = Path(path)
    mode = given.stat().st_mode if given.exists() else None
    if mode is not None and not stat.S_ISREG(mode):
        given.write_bytes(content)
        return
    target = Path(os.path.realpath(path))
    beside = target.with_name(f".{os.urandom(8).hex()}.tmp")
    try:
        # the umask bounds the mode of any new file, and may take away from the old one's
        with open(
            beside, "xb", opener=partial(os.open, mode=0o666 if mode is None else 0o600)
        ) as file:
            if mode is not None:
                beside.chmod(stat.S_IMODE(mode))
            file.write(content)
        beside.replace(target)
    except OSError as error:
        # the message names the user's path, not the new file
        raise OSError(error.errno, error.strerror, os.fspath(path)) from None
    finally:
        with suppress(OSError):
            beside.unlink()  # it exists only if something went wrong

"""Read the bytes of a `.keras` archive or a JSON file, within limits, and parse the JSON."""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from mimgraph.importer.foreign.keras.faults import Config

MAX_CONFIG = 1 << 24  # bytes of JSON
MAX_WEIGHTS = 1 << 34
MAX_RATIO = 20  # Keras stores weights as they are, so a file that unpacks to much more is an attack
CONFIG, WEIGHTS = "config.json", "model.weights.h5"


class Archive(NamedTuple):
    """The parsed config of a model and, of an archive, the bytes of its weights."""

    config: Config
    data: Any
    weights: bytes | None


def read_archive(path: Path) -> Archive:
    """Return the contents of a `.keras` archive, or of a file with the JSON of a model."""
    if zipfile.is_zipfile(path):
        return _read_zip(path)
    nothing = Config(str(path), "")
    with path.open("rb") as file:
        text = file.read(MAX_CONFIG + 1)
    if len(text) > MAX_CONFIG:
        nothing.refuse("too-large", f"the config has more than {MAX_CONFIG:,} bytes")
    config = Config(str(path), text.decode(errors="replace"))
    return Archive(config, _parse(config), None)


def _read_zip(path: Path) -> Archive:
    nothing = Config(str(path), "")
    try:
        with zipfile.ZipFile(path) as archive:
            text = _entry(archive, CONFIG, MAX_CONFIG, nothing)
            weights = _entry(archive, WEIGHTS, MAX_WEIGHTS, nothing)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        nothing.refuse("wrong-type", f"the archive cannot be read: {error}")
    if text is None:
        help = "give the file that model.save('model.keras') wrote"
        nothing.refuse("missing-key", f"the archive has no {CONFIG}", help=help)
    config = Config(f"{path}/{CONFIG}", text.decode(errors="replace"))
    return Archive(config, _parse(config), weights)


def _entry(archive: zipfile.ZipFile, name: str, most: int, nothing: Config) -> bytes | None:
    """Return the bytes of an entry; None if there is none. Refuse one that unpacks to too many."""
    try:
        entry = archive.getinfo(name)
    except KeyError:
        return None
    if entry.file_size > most:
        nothing.refuse("too-large", f"{name} has more than {most:,} bytes")
    if name == WEIGHTS and entry.file_size > MAX_RATIO * entry.compress_size + (1 << 20):
        nothing.refuse(
            "too-large", f"{name} unpacks to {entry.file_size:,} bytes, which is no model"
        )
    return archive.read(entry)


def _parse(config: Config) -> Any:
    text = config.file.text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        config.refuse_at(error.lineno, error.colno, f"this is not JSON: {error.msg.lower()}")
    except (RecursionError, ValueError):  # too deep, or a number of thousands of digits
        config.refuse("too-large", "the JSON is nested too deeply, or a number in it is too long")

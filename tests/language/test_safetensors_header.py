"""The spec in the header of a .safetensors file, and the messages for files without one."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

import mimgraph as mg
from mimgraph.language.spec_file import MAX_METADATA, metadata, read_shapes, read_spec
from tests.helpers.cases import each

SPEC = 'doc: "größer 😀"\ninputs: {x: [4]}\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y\n'


def header(metadata: Any, **tensors: Any) -> bytes:
    return json.dumps({"__metadata__": metadata, **tensors}).encode()


def written(path: Path, header: bytes, size: int | None = None, rest: bytes = b"") -> Path:
    """Write a file with this header; `size` is the length that it claims to have."""
    length = len(header) if size is None else size
    path.write_bytes(length.to_bytes(8, "little") + header + rest)
    return path


@each(
    "text",
    [
        header(metadata(SPEC)),
        json.dumps({"__metadata__": metadata(SPEC)}, ensure_ascii=False, indent=1).encode(),
        header(metadata(SPEC))[:-1] + b", " + b"[" * MAX_METADATA,  # what follows is not read
    ],
)
def test_reads_the_spec(tmp_path: Path, text: bytes) -> None:
    path = written(tmp_path / "w.safetensors", text)
    assert read_spec(path) == SPEC
    assert mg.load(path) == mg.loads(SPEC)


DEEP, LONG_NUMBER = (b'{"__metadata__": ' + end for end in (b"[" * 100_000, b"9" * 10_000))


BROKEN = {
    "empty": b"",
    "cut in the length": b"\1\0",
    "no header": bytes(8),
    "huge": b"\xff" * 8 + header({}),
    "no letters": b"\xff" * 40,
    "YAML": SPEC.encode(),
}
LATER, NO_TEXT = {"mimgraph": "2", "spec": SPEC}, {"mimgraph": "1", "spec": [1]}
LARGE = {"a": "x" * MAX_METADATA, **metadata(SPEC)}
HEADERS = {
    "no JSON": (b"\x80\x81\x82\x83", "missing-key", "there is no spec in the metadata"),
    "no metadata": (b'{"w": {}}', "missing-key", "there is no spec in the metadata"),
    "no object": (header([]), "missing-key", "there is no spec in the metadata"),
    "another's": (header({"format": "pt"}), "missing-key", "there is no spec in the metadata"),
    "a later version": (header(LATER), "bad-option", "the version of the language must be 1"),
    "no text": (header(NO_TEXT), "wrong-type", "the spec in the metadata must be a string"),
    "cut JSON": (header(metadata(SPEC))[:-9], "yaml-syntax", "the metadata is not JSON"),
    "deep": (DEEP, "yaml-syntax", "the metadata is not JSON"),
    "a large number": (LONG_NUMBER, "yaml-syntax", "the metadata is not JSON"),
    "large": (header(LARGE), "too-large", f"the metadata takes more than {MAX_METADATA:,} bytes"),
}


def fault_in(path: Path) -> tuple[str, str, str]:
    with pytest.raises(mg.SpecError) as caught:
        mg.load(path)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic.code, diagnostic.message, diagnostic.span.file.name


@each("data", BROKEN)
def test_a_file_without_a_readable_header_is_reported(tmp_path: Path, data: bytes) -> None:
    path, message = (
        tmp_path / "w.safetensors",
        "this is not a safetensors file, or its header is cut",
    )
    path.write_bytes(data)
    assert fault_in(path) == ("yaml-syntax", message, str(path))
    with pytest.raises(mg.SpecError, match=message):
        read_shapes(path)


@each("header, code, message", HEADERS)
def test_a_header_without_a_spec_is_reported(
    tmp_path: Path, header: bytes, code: str, message: str
) -> None:
    path = written(tmp_path / "w.safetensors", header)
    assert fault_in(path) == (code, message, str(path))


def test_a_fault_in_the_spec_has_its_line(tmp_path: Path) -> None:
    path = written(tmp_path / "w.safetensors", header(metadata(SPEC.replace("ReLU", "RELU"))))
    with pytest.raises(mg.SpecError, match=rf"{path}:3:20\n.*\n 3 \| nodes"):
        mg.load(path)


def test_reads_at_most_the_limit(tmp_path: Path) -> None:
    """Of a file and header of any length, no more bytes than the limit are read."""
    path = tmp_path / "w.safetensors"
    written(path, header(metadata(SPEC))[:-1] + b"," + b" " * MAX_METADATA, rest=bytes(1 << 25))
    tracemalloc.start()
    read_spec(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MAX_METADATA


def listed(dtype: Any = "F32", shape: Any = (2, 3), ends: Any = (0, 24)) -> dict[str, Any]:
    """Return the entry of a tensor in a header."""
    return {"dtype": dtype, "shape": shape, "data_offsets": ends}


def test_reads_shapes_without_the_tensors(tmp_path: Path) -> None:
    text = header({}, w=listed(), b=listed("BF16", [4], [24, 32]), n=listed("I64", [], [32, 40]))
    path = written(tmp_path / "w.safetensors", text, rest=bytes(40))
    assert read_shapes(path) == {"w": (2, 3), "b": (4,), "n": ()}


MALICIOUS = {
    "a list": (b"[1]", "the header must list tensors by their keys"),
    "no JSON": (b"\x80\x04.", "the header is not JSON"),
    "deep": (b'{"w": ' + b"[" * 100_000, "the header is not JSON"),
    "no entry": (header({}, w=3), "the header lists 'w' without its dtype, shape and place"),
    "negative sizes": (header({}, w=listed(shape=[-2, -3])), "the header lists 'w' without"),
    "a size that is no integer": (header({}, w=listed(shape=[True, 6])), "the header lists 'w' w"),
    "no dtype": (header({}, w=listed(dtype=None)), "the header lists 'w' without"),
    "sizes beyond any memory": (header({}, w=listed(shape=[10**30])), "the place of 'w' is not as"),
    "a place that ends first": (header({}, w=listed(ends=[24, 0])), "the place of 'w' is not as"),
    "cut off": (header({}, w=listed(ends=[20, 44])), "the file ends before 'w'"),
}


@each("text, message", MALICIOUS)
def test_refuses_a_header_that_lists_no_tensors(tmp_path: Path, text: bytes, message: str) -> None:
    path = written(tmp_path / "w.safetensors", text, rest=bytes(24))
    with pytest.raises(mg.SpecError, match=message):
        read_shapes(path)

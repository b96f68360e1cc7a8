"""The inputs of a run: what a file claims is compared with what it holds before an array is made."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import torch

import mimgraph as mg
from mimgraph.runtime import array_files
from mimgraph.runtime.array_files import load_arrays
from tests.helpers.cases import each

GRAPH = mg.loads("inputs: {x: [5]}\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y\n").typed
TIBS = (1 << 40, 5)  # of float32: 20 TiB
# a later zipfile sees that the member would overlap what follows it
CUT = "Overlapped entries" if hasattr(zipfile.ZipInfo, "_end_offset") else "it is cut off"


def _npy(shape: object, dtype: str = "<f4", data: bytes = b"", version: int = 1) -> bytes:
    """Return the bytes of an array whose header claims a shape and dtype."""
    header = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}}}\n".encode()
    length = len(header).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + data


def _zip(compression: int = zipfile.ZIP_STORED, **members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return file.getvalue()


def _saved(save: Callable[..., None], *args: object, **arrays: object) -> bytes:
    file = io.BytesIO()
    save(file, *args, **arrays)
    return file.getvalue()


def _lying(data: bytes, more: int, compression: int) -> bytes:
    """Return a zip file that claims to have more bytes of one member than it has."""
    size, lie = len(data).to_bytes(4, "little"), (len(data) + more).to_bytes(4, "little")
    return _zip(compression, x=data).replace(size, lie)


ONES = numpy.ones((3, 5), "float32")
GOOD = _saved(numpy.savez, x=ONES)
FILES: dict[str, tuple[bytes, str]] = {
    "a claim of 20 TiB": (_zip(x=_npy(TIBS)), "x.npy claims 21,990,232,555,520 bytes, which the file does not have"),
    "a claim beyond 64 bits": (_zip(x=_npy((1 << 62, 1 << 62))), "x.npy claims 85,070,591"),
    "a claim of nothing": (_zip(x=_npy((0, 1 << 70))), "is not an .npz file as numpy.savez writes it: "),
    "negative sizes": (_zip(x=_npy((-1, -5), data=bytes(20))), "is not an .npz file as numpy.savez writes it: "),
    "fewer bytes": (_zip(x=_npy((3, 5), data=bytes(59))), "x.npy claims 60 bytes, which"),
    "a size that no zip holds": (_lying(_npy((1 << 25, 5)), 20 << 25, zipfile.ZIP_DEFLATED), "x.npy claims 671,088,640 bytes, which the file does not have"),
    "a member that is cut": (_lying(_npy((3, 5), data=bytes(60)), 1_000, zipfile.ZIP_STORED), f"writes it: {CUT}"),
    "a bomb of another shape": (_zip(zipfile.ZIP_DEFLATED, x=_npy((1 << 20, 6), data=bytes(24 << 20))), "x has shape (1048576, 6), not (N, 5)"),
    "a long header": (_zip(zipfile.ZIP_DEFLATED, x=_npy(" " * (1 << 24), version=2)), "is not an .npz file as numpy.savez writes it: EOF"),
    "a header that is none": (_zip(x=_npy("__import__('os')")), "is not an .npz file as numpy.savez writes it: "),
    "nested brackets": (_zip(x=_npy("(" * 5000)), "is not an .npz file as numpy.savez writes it: "),
    "objects": (_saved(numpy.savez, x=numpy.array([{}])), "x.npy has dtype object, which torch does not have"),
    "strings": (_saved(numpy.savez, x=numpy.array(["a"])), "x.npy has dtype <U1, which"),
    "records": (_zip(x=_npy((3, 5), "V0")), "x.npy has dtype |V0, which"),
    "a lone array": (_saved(numpy.save, ONES), "is not an .npz file as numpy.savez writes it: File is not a zip file"),
    "a pickle": (b"\x80\x04N.", "is not an .npz file as numpy.savez writes it: File is not a zip file"),
    "an empty file": (b"", "is not an .npz file"),
    "a zip file that is cut": (GOOD[:-30], "is not an .npz file"),
    "changed bytes": (GOOD.replace(ONES.tobytes(), bytes(60)), "Bad CRC-32"),
    "another way to compress": (GOOD.replace(b"PK\1\2-\3-\0\0\0\0\0", b"PK\1\2-\3-\0\0\0\x63\0"), "is not an .npz file"),
    "an encrypted zip": (GOOD.replace(b"PK\1\2-\3-\0\0\0", b"PK\1\2-\3-\0\1\0"), "is encrypted"),
    "no array": (_zip(x=b"text"), "is not an .npz file"),
    "another name": (_saved(numpy.savez, x=ONES, z=ONES), "does not fit: there is no input 'z'"),
    "no name": (_zip(), "does not fit: an array for x is missing"),
}  # fmt: skip


@each("data, expected", FILES)
def test_a_file_that_does_not_fit(data: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "in.npz"
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patched, pytest.raises(ValueError) as caught:
        if "CRC" not in expected:  # which only the values show
            patched.setattr(array_files.format, "read_array", None)
        load_arrays(GRAPH, str(path))
    message = str(caught.value)
    assert message.startswith(str(path)) and expected in message and "\n" not in message


@each("save", [numpy.savez, numpy.savez_compressed])
def test_arrays_are_read_as_numpy_reads_them(tmp_path: Path, save: Callable[..., None]) -> None:
    wide = numpy.asfortranarray(numpy.arange(15, dtype="int16").reshape(3, 5))
    for array in (ONES, wide, numpy.zeros((1 << 18, 5), "float16")):
        save(tmp_path / "in.npz", x=array)
        found = load_arrays(GRAPH, str(tmp_path / "in.npz"))["x"]
        assert torch.equal(found, torch.tensor(array).float())


def test_arrays_that_do_not_fit_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object, **__: object) -> None:
        raise MemoryError

    (tmp_path / "in.npz").write_bytes(GOOD)
    monkeypatch.setattr(array_files.format, "read_array", read)
    with pytest.raises(ValueError, match="the arrays in .* do not fit in memory"):
        load_arrays(GRAPH, str(tmp_path / "in.npz"))

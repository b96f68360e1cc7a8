"""Read the inputs of a run from an .npz file, and write the outputs to one."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import numpy
import torch
from numpy.lib import format
from torch import Tensor

from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.runtime.checks import misfits, torch_dtype
from mimgraph.support.files import write_whole

MAX_HEADER = 10_012  # bytes with the length, as numpy has it
MAX_RATIO = 1_032  # bytes that one byte of a zip file can hold


def load_arrays(graph: TypedGraph, path: str) -> dict[str, Tensor]:
    """Return the arrays of an .npz file by input; raise a `ValueError` for arrays that do not fit.

    All headers are compared with the file and the declared inputs before an array is read, which takes the
    memory that its header claims.
    """
    inputs = graph.body.inputs
    with _readable(path), ZipFile(path) as archive:
        members = {one.filename.removesuffix(".npy"): one for one in archive.infolist()}
        faults = [f"there is no input {name!r}" for name in members if name not in inputs]
        faults += [
            f"an array for {name} is missing"
            for name in graph.body.required_inputs
            if name not in members
        ]
        known = {name: members[name] for name in inputs if name in members}
        most = MAX_RATIO * Path(path).stat().st_size
        claimed = {name: _claimed(archive, one, most) for name, one in known.items()}
    _refuse(path, [*faults, *misfits(graph, claimed, torch.can_cast)])
    given: dict[str, Tensor] = {}
    with _readable(path), ZipFile(path) as archive:
        for name, member in known.items():
            with archive.open(member) as file:
                given[name] = torch.from_numpy(format.read_array(file, allow_pickle=False))
    _refuse(path, [*misfits(graph, given, torch.can_cast)])
    return {name: tensor.to(torch_dtype(inputs[name])) for name, tensor in given.items()}


def save_arrays(path: Path, outputs: Mapping[str, Tensor]) -> None:
    """Write the outputs as an .npz file, whole or not at all; bfloat16 becomes float32."""
    arrays = {
        name: (t.float() if t.dtype == torch.bfloat16 else t).numpy() for name, t in outputs.items()
    }
    buffer = io.BytesIO()
    numpy.savez(buffer, **arrays)  # type: ignore[arg-type]  # its stub takes no mapping
    write_whole(path, buffer.getvalue())


def _refuse(path: str, faults: Sequence[str]) -> None:
    if faults:
        raise ValueError(f"{path} does not fit: {'; '.join(faults)}")


@contextmanager
def _readable(path: str) -> Iterator[None]:
    """Raise a `ValueError` for whatever is wrong with a file, which zipfile, zlib and numpy raise as errors of
    many types."""
    try:
        yield
    except MemoryError:
        raise ValueError(f"the arrays in {path} do not fit in memory") from None
    except Exception as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise  # there is no such file, or it may not be read
        reason = str(error).partition("\n")[0] or "it is cut off"
        raise ValueError(f"{path} is not an .npz file as numpy.savez writes it: {reason}") from None


def _claimed(archive: ZipFile, member: ZipInfo, most: int) -> Tensor:
    """Return a tensor without memory of the shape and dtype in an array's header; raise a `ValueError` if the
    file, which holds at most so many bytes, does not have its values."""
    with archive.open(member) as file:
        head = io.BytesIO(file.read(MAX_HEADER))
    is_first = format.read_magic(head) == (1, 0)
    read_header = format.read_array_header_1_0 if is_first else format.read_array_header_2_0
    shape, _, dtype = read_header(head)
    try:
        known = torch.from_numpy(numpy.empty(0, dtype)).dtype
    except (TypeError, ValueError):
        raise ValueError(
            f"{member.filename} has dtype {dtype}, which torch does not have"
        ) from None
    claim = prod(shape) * dtype.itemsize
    if claim > min(member.file_size - head.tell(), most):
        raise ValueError(f"{member.filename} claims {claim:,} bytes, which the file does not have")
    return torch.empty(shape, dtype=known, device="meta")

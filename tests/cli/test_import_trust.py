"""A `.pt2` file is code: no command opens one without `--trust`, whichever way the code in it would run."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch._export.serde.schema import SCHEMA_VERSION
from torch.export.pt2_archive import constants

import mimgraph as mg

TOUCH = "open('touched', 'w')"


class Touch:
    """Makes the file `touched` when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, ...]]:
        return open, ("touched", "w")


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 2)
        self.scale = torch.ones(2)  # a constant, no parameter

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.fc(x) * self.scale
        return result


Members = dict[str, bytes]
PICKLE = pickle.dumps(Touch())
SAVED = io.BytesIO()
torch.save(Touch(), SAVED)
MODEL = "models/model.json"


@pytest.fixture(scope="module")
def members() -> Members:
    """The files in the archive of a program, by their paths in it."""
    file, sizes = io.BytesIO(), ({0: torch.export.Dim("batch")},)
    torch.export.save(torch.export.export(Net(), (torch.ones(3, 4),), dynamic_shapes=sizes), file)
    with zipfile.ZipFile(file) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def expression(members: Members) -> None:
    data = json.loads(members[MODEL])
    for one in data["graph_module"]["graph"]["tensor_values"].values():
        for size in one["sizes"]:
            if "as_expr" in size:
                size["as_expr"]["expr_str"] = TOUCH
    members[MODEL] = json.dumps(data).encode()


def guard(members: Members) -> None:
    members[MODEL] = json.dumps({**json.loads(members[MODEL]), "guards_code": [TOUCH]}).encode()


def pickled(kind: str, path: str, data: bytes = SAVED.getvalue()) -> Callable[[Members], None]:
    """Return what puts a pickle at a path into the weights or constants, and into their config."""

    def change(members: Members) -> None:
        name = f"data/{kind}/model_{kind}_config.json"
        config = json.loads(members[name])
        for one in config["config"].values():
            one |= {"use_pickle": True, "path_name": path}
        members[name] = json.dumps(config).encode()
        members[f"data/{kind}/{path}"] = data

    return change


def replaced(path: str) -> Callable[[Members], None]:
    return lambda members: members.update({path: SAVED.getvalue()})


def old_format(members: Members) -> None:
    model = members[MODEL]
    members.clear()
    parts = ("state_dict", "constants", "example_inputs")
    members.update({f"serialized_{part}.pt": SAVED.getvalue() for part in parts})
    members |= {"serialized_exported_program.json": model}
    members |= {"version": ".".join(map(str, SCHEMA_VERSION)).encode()}


WAYS: dict[str, Callable[[Members], None]] = {
    "an expression": expression,
    "a guard": guard,
    "sample inputs": replaced("data/sample_inputs/model.pt"),
    "a pickled weight": pickled("weights", "weight_0"),
    "a pickled constant": pickled("constants", "tensor_0"),
    "weights of torch 2.8": replaced("data/weights/model.pt"),
    "constants of torch 2.8": replaced("data/constants/model.pt"),
    "the format of torch 2.7": old_format,
}
if hasattr(constants, "OPAQUE_OBJ_FILENAME_PREFIX"):  # not in torch 2.10
    WAYS["an opaque object"] = pickled("constants", "opaque_obj_0", PICKLE)

COMMANDS = ("import", "check", "draw", "summary", "emit", "run", "fmt")
REFUSED = "error: net.pt2 is code, as a Python file is: add --trust to run it\n"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Members], None]:
    """Writes files as the archive `net.pt2` in the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(members: Members) -> None:
        root = "net/" if "archive_format" in members else ""
        with zipfile.ZipFile("net.pt2", "w") as archive:
            for name, data in members.items():
                archive.writestr(root + name, data)

    return write


@pytest.mark.parametrize("way", WAYS)
def test_nothing_runs_without_trust(run, archive, members: Members, way: str) -> None:  # type: ignore[no-untyped-def]
    changed = members.copy()
    WAYS[way](changed)
    archive(changed)
    for command in COMMANDS:
        assert run(command, "net.pt2")[0] in (1, 2)
    assert run("diff", "net.pt2", "net.pt2")[0] in (1, 2)
    with pytest.raises(ValueError, match=r"give the program: torch.export.load\('net.pt2'\)"):
        mg.from_module("net.pt2")
    assert not Path("touched").exists()
    with suppress(Exception):  # the code in the file returns nothing that torch takes
        torch.export.load("net.pt2").module()(torch.ones(3, 4))
    assert Path("touched").exists()


def test_trust_opens_a_program(run, archive, members: Members) -> None:  # type: ignore[no-untyped-def]
    archive(members)
    code, out = run("import", "net.pt2")
    assert (code, out, out.error) == (2, "", REFUSED)
    code, out = run("import", "net.pt2", "--trust")
    assert code == 0 and "fc: {layer: Linear" in out


def test_a_file_is_not_read_without_trust(run, archive) -> None:  # type: ignore[no-untyped-def]
    archive({"text": b""})
    assert run("import", "net.pt2")[1].error == REFUSED
    code, out = run("import", "net.pt2", "--trust")
    assert code == 2 and "net.pt2 is no program that torch.export.save wrote" in out.error

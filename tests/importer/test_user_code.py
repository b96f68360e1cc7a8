"""`my_model.py:Net` is loaded as `python my_model.py` loads it, and errors name the user's line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from torch import nn

import mimgraph as mg
from mimgraph.importer.user_code import build, reference
from mimgraph.importer.user_errors import UserCodeError
from tests.importer.cases import check_cases

CODE = """\
from torch import nn
from sizes import WIDTH


class Net(nn.Module):
    def __init__(self, hidden, layers=1):
        super().__init__()
        self.half = hidden // 2
        self.fc = nn.Linear(hidden, WIDTH)
        self.layers = layers

    @classmethod
    def small(cls):
        return cls(2)


class Config:
    pass


def make_net(*, width: int = 4, **more):
    return Net(width, **more)


def give_text():
    return "text"


def fails():
    return Net("a")


made = Net(7)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory, with `model.py` and what it imports."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "model.py").write_text(CODE)
    (tmp_path / "sizes.py").write_text("WIDTH = 3")
    before = {*sys.modules}
    yield tmp_path
    for name in {*sys.modules} - before:
        del sys.modules[name]


def built(text: str, **arguments: Any) -> Any:
    wanted = reference(text)
    assert wanted is not None
    return build(wanted, arguments, mg.Graph)


FORMS = {
    "model.py:Net": ("model.py", "Net"),
    "a b/../model.py:Net.small": ("a b/../model.py", "Net.small"),
    "C:\\models\\net.py:Net": ("C:\\models\\net.py", "Net"),
    "package.models:make": ("package.models", "make"),
    "models:Net": ("models", "Net"),
    "model.py": None,
    "model.py:": None,
    "net.yaml": None,
    "folder/net:Net": None,
    "-": None,
}


def test_forms() -> None:
    found = {text: reference(text) for text in FORMS}
    assert {text: one and tuple(one) for text, one in found.items()} == FORMS


def test_an_existing_file_is_no_reference(folder: Path) -> None:
    (folder / "models:Net").write_text("")
    assert reference("models:Net") is None


BUILT: dict[str, tuple[str, dict[str, Any], int]] = {
    "a class": ("model.py:Net", {"hidden": 5}, 5),
    "a class of an importable module": ("model:Net", {"hidden": 5, "layers": 2}, 5),
    "a class method": ("model.py:Net.small", {}, 2),
    "a function": ("model.py:make_net", {}, 4),
    "more arguments of a function": ("model.py:make_net", {"width": 6, "layers": 3}, 6),
    "a module": ("model.py:made", {}, 7),
}


@pytest.mark.parametrize("name", BUILT)
def test_builds(name: str, folder: Path) -> None:
    text, arguments, width = BUILT[name]
    net = built(text, **arguments)
    assert isinstance(net, nn.Module)
    assert net.fc.in_features == width and net.layers == arguments.get("layers", 1)


def test_the_class_is_found_where_pickle_looks(folder: Path) -> None:
    net = built("model.py:Net", hidden=1)
    assert type(net) is sys.modules["model"].Net  # type: ignore[attr-defined]


def test_two_versions_each_import_their_own_helpers(folder: Path) -> None:
    other = folder / "new"
    other.mkdir()
    (other / "model.py").write_text(CODE)
    (other / "sizes.py").write_text("WIDTH = 9")
    old, new = built("model.py:made"), built("new/model.py:made")
    assert (old.fc.out_features, new.fc.out_features) == (3, 9)
    assert built("model.py:made").fc.out_features == 3


def test_a_file_may_have_the_name_of_a_module_of_python(folder: Path) -> None:
    types = sys.modules["types"]
    (folder / "types.py").write_text("from torch import nn\nnet = nn.Linear(1, 2)")
    assert built("types.py:net").out_features == 2
    assert sys.modules["types"] is types


FILES = {
    "raises.py": "x = 1\n1 / 0\n",
    "syntax.py": "class Net(:\n",
    "exits.py": "import sys\nsys.exit(0)\n",
    "imports.py": "import nowhere\n",
}


def test_errors_say_what_to_write(folder: Path, rewrite: bool) -> None:
    for file, code in FILES.items():
        (folder / file).write_text(code)

    def message(given: str) -> str:
        text, *more = given.strip().split(" --arg ")
        arguments = {name: int(value) for name, value in (one.split("=") for one in more)}
        with pytest.raises(UserCodeError) as caught:
            built(text, **arguments)
        return f"{caught.value}\n"

    check_cases(Path(__file__).with_name("user_code.md"), message, rewrite)


def test_a_part_of_a_package_is_named_by_the_package(folder: Path) -> None:
    package = folder / "package"
    (package / "inner").mkdir(parents=True)
    for place in (package, package / "inner"):
        (place / "__init__.py").write_text("")
    (package / "inner" / "net.py").write_text("from ..sizes import WIDTH\n")
    with pytest.raises(UserCodeError, match=r"name package\.inner\.net:Net, in the folder"):
        built("package/inner/net.py:Net")

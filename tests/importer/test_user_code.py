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


@pytest.mark.parametrize("text", FORMS)
def test_forms(text: str) -> None:
    found = reference(text)
    assert (found and tuple(found)) == FORMS[text]


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


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "no file": ("modle.py:Net", {}, "there is no file modle.py: did you mean model.py?"),
    "no module": (
        "nowhere.models:Net",
        {},
        (
            "no module is called 'nowhere': name a file (my_model.py:Net), or run this in the folder that "
            "has the package"
        ),
    ),
    "no such name": ("model.py:Nett", {}, "model.py has no Nett: did you mean Net?"),
    "a name like no other": (
        "model.py:Transformer",
        {},
        "model.py has no Transformer: it has: Net, made, make_net, give_text, fails",
    ),
    "no such name in a class": ("model.py:Net.smal", {}, "Net has no smal"),
    "no module class": (
        "model.py:Config",
        {},
        "model.py:Config is a class: name a mimgraph.Graph or nn.Module, or a class or function that makes one",
    ),
    "no module is returned": (
        "model.py:give_text",
        {},
        "model.py:give_text returned 'text', not a mimgraph.Graph or nn.Module",
    ),
    "a needed argument": (
        "model.py:Net",
        {"layers": 2},
        (
            "model.py:Net needs --arg hidden=VALUE\n"
            "what YAML cannot say is given by a function: def make(): return Net(...)"
        ),
    ),
    "an unknown argument": (
        "model.py:Net",
        {"hiden": 2},
        "model.py:Net has no argument hiden: did you mean hidden?",
    ),
    "arguments of a module": (
        "model.py:made",
        {"hidden": 2},
        "model.py:made is made already, so it takes no --arg",
    ),
    "an error in the constructor": (
        "model.py:fails",
        {},
        (
            "model.py:fails failed: TypeError: unsupported operand type(s) for //: 'str' and 'int'\n"
            "  model.py:8: self.half = hidden // 2"
        ),
    ),
    "an error in the file": (
        "raises.py:Net",
        {},
        "importing raises.py failed: ZeroDivisionError: division by zero\n  raises.py:2: 1 / 0",
    ),
    "a syntax error": (
        "syntax.py:Net",
        {},
        "importing syntax.py failed: SyntaxError: invalid syntax\n  syntax.py:1: class Net(:",
    ),
    "a file that ends the program": (
        "exits.py:Net",
        {},
        'importing exits.py ended the program: put what shall not run under if __name__ == "__main__":',
    ),
    "a missing package": (
        "imports.py:Net",
        {},
        (
            "importing imports.py failed: ModuleNotFoundError: No module named 'nowhere'\n"
            "  imports.py:1: import nowhere"
        ),
    ),
}
FILES = {
    "raises.py": "x = 1\n1 / 0\n",
    "syntax.py": "class Net(:\n",
    "exits.py": "import sys\nsys.exit(0)\n",
    "imports.py": "import nowhere\n",
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_say_what_to_write(name: str, folder: Path) -> None:
    text, arguments, message = WRONG[name]
    for file, code in FILES.items():
        (folder / file).write_text(code)
    with pytest.raises(UserCodeError) as caught:
        built(text, **arguments)
    assert str(caught.value) == message


def test_a_part_of_a_package_is_named_by_the_package(folder: Path) -> None:
    package = folder / "package"
    (package / "inner").mkdir(parents=True)
    for place in (package, package / "inner"):
        (place / "__init__.py").write_text("")
    (package / "inner" / "net.py").write_text("from ..sizes import WIDTH\n")
    with pytest.raises(UserCodeError, match=r"name package\.inner\.net:Net, in the folder"):
        built("package/inner/net.py:Net")

"""Completion, hover and errors that the YAML language server gives an editor by the schema."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mimgraph.language import schema
from tests.helpers.cases import SLOW_FOR_EACH_SPEC, each, texts
from tests.helpers.language_server import Editor
from tests.helpers.npm import PLACES, install

SERVER = "yaml-language-server@2.0.0"
MODELINE = "# yaml-language-server: $schema=mimgraph.schema.json\n"
CURSOR = "‸"
TOP = "inputs: {x: [3, 8, 8]}\noutputs: y\n"


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command of the server, which npm installs; without npm the tests are skipped."""
    root = tmp_path_factory.mktemp("server")
    install(root, SERVER)
    package = root / "node_modules" / "yaml-language-server"
    return [
        str(shutil.which("node", path=PLACES)),
        str(package / "bin" / "yaml-language-server"),
        "--stdio",
    ]


class Document:
    """A spec in the editor; `‸` in its text is the cursor."""

    def __init__(self, editor: Editor, path: Path, marked: str) -> None:
        before, _, after = (MODELINE + marked).partition(CURSOR)
        self.at = before.count("\n"), len(before) - before.rfind("\n") - 1
        self.editor, self.path = editor, path
        self.faults = [
            f"{fault['range']['start']['line']}:{fault['range']['start']['character']} {fault['message']}"
            for fault in editor.open(path, before + after)
        ]

    @property
    def completion(self) -> dict[str, str]:
        """Return the completions at the cursor: labels, each with the text that it inserts."""
        found = self.editor.completion(self.path, *self.at)
        return {label: item["insertText"] for label, item in found.items()}

    @property
    def hover(self) -> str:
        return self.editor.hover(self.path, *self.at)


class Desk:
    """An editor that opens specs in a folder with the schema."""

    def __init__(self, editor: Editor, folder: Path) -> None:
        self.editor, self.folder = editor, folder
        self.opened = 0

    def open(self, marked: str) -> Document:
        self.opened += 1
        return Document(self.editor, self.folder / f"spec{self.opened}.yaml", marked)


@pytest.fixture(scope="module")
def desk(command: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    (folder / "mimgraph.schema.json").write_text(schema.text())
    with Editor(command, folder) as editor:
        yield Desk(editor, folder)


CASES = texts(Path(__file__).with_name("completes.md"))


def told(what: str) -> dict[str, list[str]]:
    """Return the texts of the cases that are about one thing."""
    return {name: given for name, given in CASES.items() if name.startswith(f"{what} ")}


@pytest.mark.slow
@each("marked, expected", told("completes"))
def test_completes(desk: Desk, marked: str, expected: str) -> None:
    found = desk.open(marked).completion
    assert [label for label in expected.splitlines() if label not in found] == []


@pytest.mark.slow
def test_completes_only_the_options_of_the_layer(desk: Desk) -> None:
    found = desk.open("nodes:\n  y:\n    layer: Linear\n    from: x\n    ‸\n").completion
    words = {"each", "with", "shared", "take", "over", "freeze", "activation"}
    options = {"out_features", "bias", "in_features", "weight_norm", "spectral_norm"}
    assert set(found) - words == options


@pytest.mark.slow
def test_inserts_the_default(desk: Desk) -> None:
    found = desk.open("nodes:\n  y:\n    layer: Conv2d\n    from: x\n    ‸\n").completion
    assert found["stride"] == "stride: ${1:1}"
    assert found["padding"] == "padding: ${1:0}"
    assert found["kernel_size"] == "kernel_size: "


@pytest.mark.slow
@each("case", told("shows"))
def test_hover_shows_the_documentation(desk: Desk, case: list[str]) -> None:
    shown = desk.open(case[0]).hover
    assert "Convolution over two axes" in shown
    assert "`(N, C, H, W) -> (N, out_channels, H', W')`" in shown


@pytest.mark.slow
def test_hover_shows_the_type_of_an_option(desk: Desk) -> None:
    node = "y: {layer: Conv2d, from: x, out_channels: 3, kernel‸_size: 3}"
    shown = desk.open(f"nodes:\n  {node}\n").hover
    assert "an integer of at least 1 or a list of 2, each an integer of at least 1" in shown


@pytest.mark.slow
@each("node, messages", told("tells"))
def test_reports(desk: Desk, node: str, messages: str) -> None:
    document = desk.open(f"{TOP}nodes:\n  {node}")
    line, character = document.at
    assert document.faults == [f"{line}:{character} {message}" for message in messages.splitlines()]


@pytest.mark.slow
def test_reports_a_misspelt_layer(desk: Desk) -> None:
    (fault,) = desk.open(f"{TOP}nodes:\n  y: {{layer: ‸Liner, from: x}}\n").faults
    assert fault.startswith("4:13 Value must be ") and '"Linear"' in fault


@pytest.mark.parametrize("path", SLOW_FOR_EACH_SPEC)
def test_reports_nothing_in_the_specs_of_the_gallery(desk: Desk, path: Path) -> None:
    assert desk.open(path.read_text()).faults == []

"""The manifest of the VS Code extension agrees with the package that it is made for."""

from __future__ import annotations

import json
import re
from dataclasses import fields

import mimgraph as mg
from mimgraph.editor.server.settings import Settings
from tests.conftest import ROOT

FOLDER = ROOT / "editors/vscode"
MANIFEST = json.loads((FOLDER / "package.json").read_text())
SETTINGS = MANIFEST["contributes"]["configuration"]["properties"]
LOCK = json.loads((FOLDER / "package-lock.json").read_text())
SOURCES = "\n".join(path.read_text() for path in sorted((FOLDER / "src").rglob("*.ts")))


def test_the_version_is_that_of_the_package() -> None:
    versions = {MANIFEST["version"], LOCK["version"], LOCK["packages"][""]["version"]}
    assert versions == {mg.__version__}


def test_the_licence_is_that_of_the_package() -> None:
    assert (FOLDER / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_each_command_of_the_manifest_is_registered() -> None:
    declared = {one["command"] for one in MANIFEST["contributes"]["commands"]}
    registered = set(re.findall(r'registerCommand\(\s*"(mimgraph\.\w+)"', SOURCES))
    assert declared == registered


def test_the_settings_are_what_the_server_reads() -> None:
    groups = {"shapes": "inlayHints", "options": "inlayHints"}
    read = {
        f"mimgraph.{groups.get(one.name, 'python')}.{one.name}": one.default
        for one in fields(Settings)
    }
    of_the_client = {"mimgraph.path": "", "mimgraph.trace.server": "off"}
    assert {name: one["default"] for name, one in SETTINGS.items()} == read | of_the_client


def test_what_decides_which_program_runs_is_not_read_from_an_untrusted_folder() -> None:
    capability = MANIFEST["capabilities"]["untrustedWorkspaces"]
    chosen = {name for name, one in SETTINGS.items() if one.get("scope") == "machine-overridable"}
    assert (
        chosen
        == set(capability["restrictedConfigurations"])
        == {
            "mimgraph.path",
            "mimgraph.python.interpreter",
        }
    )


def test_each_file_that_the_manifest_names_is_there() -> None:
    named = re.findall(r'"(?:\./)?([\w/-]+\.(?:png|json))"', json.dumps(MANIFEST["contributes"]))
    assert named and all((FOLDER / name).is_file() for name in [*named, MANIFEST["icon"]])


def test_the_readme_lists_every_setting() -> None:
    rows = re.findall(
        r"^\| `(mimgraph\.[\w.]+)` \|", (FOLDER / "README.md").read_text(), re.MULTILINE
    )
    assert set(rows) == set(SETTINGS)


def test_the_readme_names_commands_by_their_titles() -> None:
    titles = {
        f"mimgraph: {one['title'].rstrip('…')}" for one in MANIFEST["contributes"]["commands"]
    }
    named = set(re.findall(r"\*(mimgraph: [^*]+)\*", (FOLDER / "README.md").read_text()))
    assert named and named <= titles


def test_nothing_is_started_through_a_shell() -> None:
    assert "shell: true" not in SOURCES and "ShellExecution" not in SOURCES
    assert not re.search(r"\bexec(Sync)?\(", SOURCES)

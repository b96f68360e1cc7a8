"""The settings that the manual gives for Neovim, Helix and Emacs show shapes and errors in these editors."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT, missing, needed
from tests.docs.snippets import snippets

if TYPE_CHECKING:
    from tests.helpers.terminal import Terminal

PAGE = (ROOT / "docs/how-to/use-an-editor.md").read_text()
PICTURE = ROOT / "docs/how-to/pictures/neovim.svg"
SPEC = """inputs:
  image: [3, 32, 32]
  text: {shape: [T], vocab: 10000}
nodes:
  words: {layer: Embedding, from: text, embedding_dim: 64}
  text_vec: {layer: LSTM, from: words, hidden_size: 64, take: last}
  image_vec:
    from: image
    seq:
      - Conv2d: {out_channels: 16, kernel_size: 3}
      - ReLU
      - MaxPool2d: 2
  fused: {merge: concat, from: [image_vec, text_vec]}
  score: {layer: Linear, from: fused, out_features: 1}
outputs: score
"""


def settings(language: str) -> list[str]:
    """Return the settings of the page in a language."""
    return [one.text for one in snippets(PAGE) if one.language == language]


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files into a folder, beside a spec with an error."""
    for name, text in {**files, "model.yaml": SPEC}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def opened(folder: Path, *command: str, size: tuple[int, int] = (24, 110)) -> Terminal:
    """Open an editor whose home is a folder; skip the test without it: not every system has each."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]}")
    needed("pyte")
    from tests.helpers.terminal import Terminal

    environment = {
        **os.environ,
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "COLORTERM": "truecolor",
    }
    return Terminal([*command], folder, environment, size)


def version_of_neovim() -> tuple[int, ...]:
    """Return the version of Neovim; skip the test without it."""
    if shutil.which("nvim") is None:
        missing("there is no nvim")
    said = subprocess.run(["nvim", "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, re.findall(r"\d+", said)[:2]))


@pytest.mark.nightly
def test_neovim(tmp_path: Path, rewrite: bool) -> None:
    if version_of_neovim() < (0, 10):
        pytest.skip("the page asks for 0.10")
    (init,) = settings("lua")
    folder = written(tmp_path, {"config/nvim/init.lua": init})
    with opened(folder, "nvim", "+set nowrap", "model.yaml", size=(18, 112)) as editor:
        editor.await_text(r"text_vec: .*\(N, 64\)  input_size 64")
        editor.await_text(r"fused: .*concat along dim 1 needs equal sizes")
        if rewrite:
            PICTURE.write_text(editor.svg())
        editor.type(":13s/concat/concatt/\r")
        editor.await_text(r"fused: .*no merge is called 'concatt'")


@pytest.mark.nightly
def test_helix(tmp_path: Path) -> None:
    languages, config = settings("toml")
    files = {"config/helix/languages.toml": languages, "config/helix/config.toml": config}
    with opened(written(tmp_path, files), "hx", "model.yaml") as editor:
        editor.await_text("● +13")  # the error of line 13
        editor.type("j")  # it asks for hints when the cursor moves
        editor.await_text(r"text_vec: .*\(N, 64\)  input_size 64")
        editor.type(" d")  # the diagnostics of the file
        editor.await_text("shape-mismatch concat along dim 1")


@pytest.mark.nightly
def test_emacs(tmp_path: Path) -> None:
    (init,) = settings("elisp")
    with opened(
        written(tmp_path, {".emacs.d/init.el": init}), "emacs", "-nw", "model.yaml"
    ) as editor:
        editor.await_text(r"text_vec: .*\(N, 64\)  input_size 64")
        editor.await_text(r"Flymake\[1 0\]")


def test_the_settings_of_zed_start_the_server() -> None:
    (text,) = settings("json")
    (server,) = json.loads(text)["lsp"].values()
    assert re.fullmatch(r"/.*/mimgraph", server["binary"]["path"])
    assert server["binary"]["arguments"] == ["lsp"]

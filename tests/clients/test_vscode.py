"""The extension, in VS Code itself: a spec gets its shapes and errors, and commands show what they say."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.clients.test_settings_of_editors import SPEC
from tests.conftest import ROOT
from tests.helpers.code_server import (
    VSCode,
    Window,
    install_vscode,
    mimgraph_program,
    package_extension,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

TRUSTING = {"security.workspace.trust.enabled": False}
WARY = {"security.workspace.trust.startupPrompt": "never"}  # and the folder is not trusted
PYTHON = """import mimgraph as mg
from mimgraph import layers

x = mg.Input("x", (8,))
y = layers.Linear(4)(x, name="y")
"""
PICTURE = ROOT / "editors/vscode/pictures/preview.png"
NOWHERE = {"mimgraph.path": "/nowhere/mimgraph"}


@pytest.fixture(scope="module")
def vscode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[VSCode, int]]:
    """Serve VS Code with our extension; yield it and its port."""
    folder = tmp_path_factory.mktemp("vscode")
    install_vscode(folder)
    code = VSCode(folder)
    code.run("--install-extension", str(package_extension(folder)))
    with code.serving() as port:
        yield code, port


def photograph(code: Window, path: Path) -> None:
    """Write a picture of a window, in few colours."""
    code.page.wait_for_timeout(1000)  # until what moves has come to rest
    Image.open(BytesIO(code.page.screenshot())).quantize(96).save(path, optimize=True)


@pytest.fixture
def window(
    vscode: tuple[VSCode, int], chromium: Browser, tmp_path: Path
) -> Iterator[Callable[..., Window]]:
    """Return what opens a window on a folder with `model.yaml`."""
    code, port = vscode
    opened = []

    def opens(user: dict[str, object], **files: object) -> Window:
        shutil.copy(ROOT / "specs" / "image_numerical.yaml", tmp_path / "model.yaml")
        (tmp_path / "net.py").write_text(PYTHON)
        (tmp_path / "wrong.yaml").write_text(SPEC)
        if files:
            (tmp_path / ".vscode").mkdir()
            (tmp_path / ".vscode/settings.json").write_text(json.dumps(files["settings"]))
        code.settings(machine={"mimgraph.path": mimgraph_program()}, user=user)
        opened.append(Window(chromium, port, tmp_path))
        return opened[-1]

    yield opens
    for one in opened:
        one.close()


def test_a_spec_has_shapes_and_errors_as_one_types(window: Callable[..., Window]) -> None:
    code = window(TRUSTING)
    code.open("model.yaml")
    code.await_line(r"combined: .*\(N, 2112\)")
    code.page.keyboard.press("Control+Home")
    code.page.keyboard.type("a")  # the key is now `aname`
    code.await_errors(1)
    code.page.keyboard.press("Control+Z")
    code.await_errors(0)
    code.command("mimgraph: Emit the Source of the Model")
    code.await_line(r"class ImageNumerical\(nn\.Module\):")


def test_the_preview_follows_the_text_and_leads_to_its_lines(
    window: Callable[..., Window], rewrite: bool
) -> None:
    code = window(TRUSTING)
    code.open("wrong.yaml")
    code.await_line(r"text_vec: .*\(N, 64\)")
    lens = code.page.locator(".codelens-decoration a").get_by_text("draw").first
    code.until(code.page.locator("iframe.webview"), lens.click)
    picture = code.page.frame_locator("iframe.webview").frame_locator("#active-frame")
    picture = picture.frame_locator("iframe").frame_locator("iframe:not(.waiting)")
    place = code.page.get_by_text("Ln 5, Col 1")
    code.until(place, picture.locator('[data-id="words"]').first.click)
    if rewrite:
        code.page.keyboard.press("Control+B")  # no list of files
        picture.locator("#fit").click()
        code.page.keyboard.press("Escape")  # no node is selected
        photograph(code, PICTURE)
    code.page.locator(".view-line").filter(has_text="score:").click()
    picture.locator('[data-id="score"].selected').wait_for()
    code.page.keyboard.press("End")
    code.page.keyboard.press("ArrowLeft")
    code.page.keyboard.type(", bias: 3")
    picture.locator('[data-id="score"]').get_by_text("bias of").first.wait_for(state="attached")


def test_a_python_file_runs_on_request(window: Callable[..., Window]) -> None:
    code = window(TRUSTING)
    code.open("net.py")
    code.command("mimgraph: Check the Graphs in This Python File")
    code.await_line(r'name="y"\).*\(N, 4\)')


def test_a_python_file_does_not_run_in_a_folder_that_is_not_trusted(
    window: Callable[..., Window],
) -> None:
    code = window(WARY)
    code.open("model.yaml")
    code.await_line(r"combined: .*\(N, 2112\)")
    code.open("net.py")
    refusal = code.page.locator(".notification-list-item").filter(has_text="not trusted")
    code.until(refusal, code.page.get_by_text("check the graphs of this file").click)


def test_a_program_that_is_not_there_is_said_with_a_button(window: Callable[..., Window]) -> None:
    code = window(TRUSTING, settings=NOWHERE)
    code.open("model.yaml")
    message = code.page.locator(".notification-list-item").filter(has_text="no such program")
    message.get_by_role("button", name="Open Settings").click()
    code.page.locator(".settings-editor").get_by_text("Path", exact=True).wait_for()


def test_the_settings_of_a_folder_that_is_not_trusted_choose_no_program(
    window: Callable[..., Window],
) -> None:
    code = window(WARY, settings=NOWHERE)
    code.open("model.yaml")
    code.await_line(r"combined: .*\(N, 2112\)")

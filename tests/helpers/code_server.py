"""VS Code for tests: its server from npm, with our extension, shown by the browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.conftest import ROOT, needed
from tests.helpers.npm import PLACES, npm

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

TimeoutError = needed("playwright.sync_api").TimeoutError

PACKAGE = "code-server@4.139.1"  # VS Code 1.139; needs Node 24
EXTENSION = ROOT / "editors" / "vscode"
PATIENCE = 60  # seconds until the server listens
TRIALS = 6  # of a click or a key that VS Code may lose
USER = {
    "workbench.startupEditor": "none",
    "telemetry.telemetryLevel": "off",
    "chat.disableAIFeatures": True,
    "editor.minimap.enabled": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "editor.wordWrap": "off",
    "extensions.autoUpdate": False,
    "extensions.ignoreRecommendations": True,
}


def install_vscode(folder: Path) -> None:
    """Install VS Code's server; its native modules are not built, and it starts without them."""
    flags = ["--ignore-scripts", "--no-audit", "--no-fund"]
    npm(folder, "install", *flags, "--prefix", str(folder), PACKAGE)
    npm(folder / "node_modules/code-server/lib/vscode", "install", "--omit=dev", *flags)


def package_extension(folder: Path) -> Path:
    """Build the extension in a copy of its folder, and return the file to install."""
    copy = folder / "extension"
    shutil.copytree(EXTENSION, copy, ignore=shutil.ignore_patterns("node_modules", "out"))
    npm(copy, "ci", "--ignore-scripts")
    npm(copy, "run", "package")
    return copy / "out/mimgraph.vsix"


class VSCode:
    """VS Code's server, in a folder of its own, with our extension."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        node = shutil.which("node", path=PLACES) or "node"
        entry = folder / "node_modules/code-server/out/node/entry.js"
        data, extensions = str(folder / "data"), str(folder / "extensions")
        self.command = [node, str(entry), "--user-data-dir", data, "--extensions-dir", extensions]
        self.environment = {
            **os.environ,
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PYTHONPATH": str(ROOT),
        }

    def run(self, *words: str) -> None:
        """Run a command of VS Code to its end."""
        subprocess.run(
            [*self.command, *words], env=self.environment, check=True, capture_output=True
        )

    def settings(self, *, machine: dict[str, Any], user: dict[str, Any]) -> None:
        """Write the settings of the machine, which name programs, and of the user."""
        for name, values in [("Machine", machine), ("User", {**USER, **user})]:
            path = self.folder / "data" / name / "settings.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))

    @contextmanager
    def serving(self) -> Iterator[int]:
        """Serve until the block ends; yield the port."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        flags = ["--auth", "none", "--bind-addr", f"127.0.0.1:{port}", "--disable-telemetry"]
        with (self.folder / "server.log").open("w") as log:
            server = subprocess.Popen(
                [*self.command, *flags, "--disable-update-check"],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group, which is ended as a whole
            )
            try:
                _await_port(port)
                yield port
            finally:
                os.killpg(server.pid, signal.SIGTERM)
                server.wait(PATIENCE)


def _await_port(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


class Window:
    """A window of VS Code on a folder."""

    def __init__(self, browser: Browser, port: int, folder: Path) -> None:
        self.context = browser.new_context(viewport={"width": 1440, "height": 800})
        self.context.set_default_timeout(90_000)
        self.page: Page = self.context.new_page()
        self.page.goto(f"http://127.0.0.1:{port}/?folder={folder}")
        self.page.wait_for_selector(".monaco-workbench .statusbar-item")

    def open(self, name: str) -> None:
        """Open a file of the folder."""
        entry = self.page.locator(".explorer-folders-view").get_by_text(name, exact=True)
        self.until(self.page.locator(f'.tab[data-resource-name="{name}"]'), entry.dblclick)
        self.page.wait_for_selector(".view-line")

    def command(self, title: str) -> None:
        """Run a command by its title."""
        row = self.page.locator(".quick-input-list .monaco-list-row").first.get_by_text(title)
        self.until(row, lambda: self._search_commands(title))
        row.click()

    def _search_commands(self, title: str) -> None:
        """Open the list of commands anew, and type a title."""
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("F1")
        self.page.locator(".quick-input-widget input:focus").fill(f">{title}")

    def until(self, shown: Locator, act: Callable[[], None]) -> None:
        """Do something until it shows its effect.

        VS Code takes no click on what it is still laying out, and the list of commands holds those that
        could run when it was opened: what happens in the first seconds may be lost.
        """
        from playwright.sync_api import TimeoutError

        for _ in range(TRIALS):
            with suppress(TimeoutError):
                act()
                shown.wait_for(timeout=5_000)
                return
        shown.wait_for()

    def await_line(self, pattern: str) -> None:
        """Wait until a line of an editor, with its hints, holds a pattern."""
        shown = re.compile(pattern.replace(" ", r"\s"))  # spaces are shown as unbreakable ones
        self.page.locator(".view-line").filter(has_text=shown).first.wait_for()

    def await_errors(self, number: int) -> None:
        """Wait until the status bar counts so many errors."""
        counted = f'[id="status.problems"] a[aria-label*="Errors: {number}"]'
        label = counted if number else '[id="status.problems"] a[aria-label*="No Problems"]'
        self.page.wait_for_selector(label)

    def close(self) -> None:
        """Close the window."""
        self.context.close()


def mimgraph_program() -> str:
    """Return the program of the environment that the tests run in."""
    return str(Path(sys.executable).parent / "mimgraph")

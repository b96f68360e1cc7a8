"""A preview follows its spec in a real browser: folds, place and faults, and the lines of nodes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.accessibility import violations
from tests.helpers.browser import Tab

if TYPE_CHECKING:
    from playwright.sync_api import FrameLocator

pytestmark = pytest.mark.slow

SPEC = """name: Pair
inputs: {left: [3, 8, 8], right: [5]}
blocks:
  conv: {params: {width: null}, seq: [{Conv2d: {out_channels: $width, kernel_size: 3}}, ReLU]}
nodes:
  tower: {from: left, seq: [{conv: {width: 4}}, Flatten]}
  numbers: {layer: Linear, from: right, out_features: 8}
  fused: {merge: concat, from: [tower, numbers], activation: Tanh}
  score: {layer: Linear, from: fused, out_features: 1}
outputs: score
"""
TOKEN = "a-token-of-a-test-that-is-long"
WRITES = "import sys; open(sys.argv[1], 'a').write(' '.join(sys.argv[2:]) + '\\n')"


class Preview:
    """A running preview of `spec`; `opened` has the lines that it opened in the editor."""

    def __init__(self, folder: Path, tab: Tab) -> None:
        self.tab, self.page = tab, tab.page
        self.spec, self.log = folder / "model.yaml", folder / "opened.txt"
        self.spec.write_text(SPEC)
        self.log.touch()
        script = folder / "write.py"
        script.write_text(WRITES)
        editor = f"'{sys.executable}' '{script}' '{self.log}' {{file}} {{line}}"
        command = [sys.executable, "-m", "mimgraph", "preview", str(self.spec), "--no-open"]
        self.command = [*command, "--editor", editor]
        self.address = self.start()
        self.page.goto(self.address)
        self.shows("no errors")

    def start(self, *options: str) -> str:
        """Start the command, and return the address that it prints."""
        environment = {**os.environ, "MIMGRAPH_PREVIEW_TOKEN": TOKEN}
        self.process = subprocess.Popen(
            [*self.command, *options], stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self.process.stdout is not None
        return self.process.stdout.readline().split()[-1]

    def stop(self) -> None:
        """End the command."""
        self.process.kill()
        self.process.wait()

    @property
    def picture(self) -> FrameLocator:
        """The picture that the reader sees."""
        return self.page.frame_locator("iframe:not(.waiting)")

    def node(self, id_: str) -> Any:
        """Return the box of a node."""
        return self.picture.locator(f'[data-id="{id_}"]')

    def save(self, old: str, new: str) -> None:
        """Save the spec with another text in it."""
        self.spec.write_text(self.spec.read_text().replace(old, new))

    def shows(self, text: str) -> None:
        """Wait for a text in the line of the state, and for its picture."""
        self.page.locator("#state", has_text=text).wait_for()
        self.page.wait_for_function("() => !document.querySelector('iframe.waiting')")

    def view(self) -> Any:
        """Return the folds and the place of the picture."""
        frame = self.page.query_selector("iframe:not(.waiting)")
        assert frame is not None
        content = frame.content_frame()
        assert content is not None
        return content.evaluate("() => mimgraph.state()")


@pytest.fixture
def preview(tmp_path: Path, tab: Tab) -> Iterator[Preview]:
    found = Preview(tmp_path, tab)
    yield found
    found.stop()


def test_a_fault_appears_at_its_node_and_goes_when_it_is_mended(preview: Preview) -> None:
    preview.save("concat", "add")
    preview.shows("1 error")
    assert "shape-mismatch" in preview.node("fused").text_content()
    assert "project it first" in preview.page.inner_text("#faults")
    preview.save("add", "concat")
    preview.shows("no errors")
    assert "shape-mismatch" not in preview.node("fused").text_content()
    assert preview.page.locator("#faults").is_hidden()


def test_folds_place_and_selection_stay(preview: Preview) -> None:
    preview.node("tower.0").locator(".handle").click()
    preview.picture.locator("#closer").click()
    preview.node("score").click()
    preview.tab.page.wait_for_timeout(100)
    before = preview.view()
    assert "tower.0" in before["closed"]
    preview.save("out_features: 8", "out_features: 9")
    preview.picture.locator("text=(N, 9)").first.wait_for()
    after = preview.view()
    assert {**after, "middle": None} == {**before, "middle": None}
    assert after["middle"]["id"] == before["middle"]["id"]


def test_a_half_written_node_keeps_the_others(preview: Preview) -> None:
    preview.save("from: right,", "from: [right,")
    preview.shows("1 error")
    assert "yaml-syntax" in preview.node("numbers").text_content()
    assert "(N, 144)" in preview.node("tower.1").text_content()


def test_nothing_known_keeps_the_last_picture_in_grey(preview: Preview) -> None:
    preview.spec.write_text("[]")
    preview.shows("the picture is of the last version")
    assert preview.page.locator("#frames.stale").is_visible()
    preview.spec.unlink()
    preview.page.locator("#faults", has_text="No such file").wait_for()
    preview.spec.write_text(SPEC)
    preview.shows("no errors")
    assert preview.page.locator("#frames.stale").count() == 0


@pytest.mark.parametrize(
    "mistake", [("concat", "concat"), ("Linear, from: right", "Linea, from: right")]
)
def test_a_click_opens_the_line_of_the_node(preview: Preview, mistake: tuple[str, str]) -> None:
    preview.save(*mistake)  # a node of unknown type has its line, too
    preview.shows("no errors" if len({*mistake}) == 1 else "1 error")
    preview.node("numbers").click()
    while not preview.log.read_text():
        preview.page.wait_for_timeout(20)
    assert preview.log.read_text() == f"{preview.spec} 7\n"


def test_a_picture_that_cannot_be_loaded_keeps_the_last(preview: Preview) -> None:
    before = preview.picture.locator("[data-id]").count()
    preview.page.route("**/picture?*", lambda route: route.abort())
    with preview.page.expect_event("requestfailed"):
        preview.save("out_features: 8", "out_features: 9")
    preview.tab.page.wait_for_timeout(200)
    assert preview.picture.locator("[data-id]").count() == before


def test_the_cursor_of_an_editor_and_its_text_are_followed(preview: Preview) -> None:
    data: dict[str, object] = {"line": 8}
    assert preview.page.request.post(f"{preview.address}cursor", data=data).status == 204
    preview.picture.locator('.selected[data-id="fused"]').wait_for()
    data = {"text": SPEC.replace("out_features: 8", "out_features: 77")}
    assert preview.page.request.post(f"{preview.address}text", data=data).status == 204
    preview.picture.locator("text=(N, 77)").first.wait_for()
    preview.page.request.post(f"{preview.address}text", data={"text": None})
    preview.picture.locator("text=(N, 8)").first.wait_for()


def test_two_tabs_show_the_same_and_no_request_leaves_the_machine(preview: Preview) -> None:
    other = preview.page.context.new_page()
    other.goto(preview.address)
    preview.save("concat", "add")
    for page in (other, preview.page):
        page.locator("#state", has_text="1 error").wait_for()
    host = preview.address.rsplit("/", 2)[0]
    assert all(url.startswith((host, "data:")) for url in preview.tab.requests)


def test_theme_search_and_focus_stay(preview: Preview) -> None:
    preview.picture.locator("#theme").click()
    chosen = preview.picture.locator("#theme").get_attribute("data-theme")
    preview.picture.locator("#search").fill("nothing")
    preview.save("out_features: 8", "out_features: 9")
    preview.picture.locator("text=(N, 9)").first.wait_for()
    preview.page.keyboard.type("!")  # which the field takes only if it has the focus
    assert preview.picture.locator("#search").input_value() == "nothing!"
    assert preview.picture.locator("#theme").get_attribute("data-theme") == chosen
    node = preview.node("numbers")
    node.click()
    preview.save("out_features: 9", "out_features: 7")
    preview.picture.locator("text=(N, 7)").first.wait_for()
    focused = "() => document.activeElement.contentDocument.activeElement.dataset.id"
    assert preview.page.evaluate(focused) == "numbers"


def test_pages_find_a_server_that_starts_again(preview: Preview) -> None:
    preview.stop()
    preview.page.locator("#state", has_text="disconnected").wait_for()
    port = preview.address.split(":")[2].partition("/")[0]
    preview.spec.write_text(SPEC.replace("out_features: 8", "out_features: 9"))
    assert preview.start("--port", port) == preview.address
    preview.picture.locator("text=(N, 9)").first.wait_for()
    preview.shows("no errors")
    preview.tab.faults.clear()  # Chromium logs each try to connect again


def test_a_hidden_page_lets_go_of_the_server_and_catches_up(preview: Preview) -> None:
    hide = "is => { Object.defineProperty(document, 'hidden', { value: is, configurable: true });"
    hide += " document.dispatchEvent(new Event('visibilitychange')); }"
    preview.page.evaluate(hide, True)
    preview.save("out_features: 8", "out_features: 9")
    preview.page.wait_for_timeout(1000)
    assert preview.picture.locator("text=(N, 9)").count() == 0
    preview.page.evaluate(hide, False)
    preview.picture.locator("text=(N, 9)").first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing(preview: Preview, axe: str, scheme: Any, width: int) -> None:
    preview.page.set_viewport_size({"width": width, "height": 800})
    preview.page.emulate_media(color_scheme=scheme)
    preview.save("concat", "add")
    preview.shows("1 error")
    assert violations(preview.page, axe) == []

"""The manual builds without a warning; its links lead somewhere; its pages fit, can be read and searched."""

from __future__ import annotations

import re
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest

import mimgraph as mg
from mimgraph.diagnostics.codes import CODES
from tests.docs.conftest import Site
from tests.helpers.accessibility import violations

if TYPE_CHECKING:
    from tests.helpers.browser import Tab

pytestmark = pytest.mark.slow

# one of every kind
KINDS = {
    "home": "index",
    "a layer": "layers/MultiheadAttention",
    "a merge": "merges/concat",
    "a key": "language/keys/repeat",
    "a tutorial": "tutorial/table-and-text",
    "an index": "how-to/index",
    "the API": "python/graph",
    "records": "python/records",
    "a command": "command-line/check",
    "an error": "errors/shape-mismatch",
    "errors": "errors/index",
    "the architecture": "architecture",
    "a guide": "how-to/change-a-graph",
    "security": "explanation/security",
    "the language": "language/python",
    "layers": "layers/index",
    "other names": "layers/names",
    "the gallery": "gallery/index",
    "a spec": "gallery/resnet18",
    "the comparison": "explanation/comparison",
    "the search": "search",
}
LOCAL = ("127.0.0.1", "")


class _Addresses(HTMLParser):
    """The places of a page, the addresses that it links to, and all that it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Collect what the attributes of a tag name."""
        found = {name: value or "" for name, value in attributes}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif "src" in found:
            self.loads.append(found["src"])
        elif tag == "link" and found.get("rel") in ("stylesheet", "icon", "preload"):
            self.loads.append(found["href"])


@pytest.fixture(scope="module")
def addresses(site: Site) -> dict[Path, _Addresses]:
    return {path: _Addresses(path.read_text()) for path in site.pages()}


def test_the_manual_builds_without_a_warning(site: Site) -> None:
    assert site.printed == ""
    assert len(site.pages()) > 50


def test_every_link_leads_to_a_place(site: Site, addresses: dict[Path, _Addresses]) -> None:
    lost = defaultdict(list)
    for page, found in addresses.items():
        for link in dict.fromkeys([*found.links, *found.loads]):
            parts = urlsplit(link)
            if parts.scheme or link.startswith("//"):
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not target.is_file() or (
                parts.fragment
                and target.suffix == ".html"
                and unquote(parts.fragment) not in addresses[target].ids
            ):
                lost[link].append(page.relative_to(site.folder).as_posix())
    assert dict(lost) == {}


def test_links_to_other_sites_are_secure(addresses: dict[Path, _Addresses]) -> None:
    links = {link for found in addresses.values() for link in found.links if "://" in link}
    assert links
    assert [link for link in links if not re.fullmatch(r"https://[\w.-]+\.\w+(/\S*)?", link)] == []


def test_a_page_loads_nothing_from_another_site(addresses: dict[Path, _Addresses]) -> None:
    loaded = {one for found in addresses.values() for one in found.loads}
    assert [one for one in loaded if urlsplit(one).netloc] == []


def test_a_layer_is_two_clicks_away(site: Site, addresses: dict[Path, _Addresses]) -> None:
    home, index = site.folder / "index.html", site.folder / "layers" / "index.html"
    assert "layers/index.html" in addresses[home].links
    assert {f"{name}.html" for name in dir(mg.layers)} <= {*addresses[index].links}


def test_every_column_of_a_table_has_a_head(site: Site) -> None:
    empty = re.compile(r"<th\b[^>]*>(<p>\s*</p>)?</th>")
    assert [page.name for page in site.pages() if empty.search(page.read_text())] == []


# --- for language models ------------------------------------------------------------------------


def test_pages_for_language_models_are_plain_markdown(site: Site) -> None:
    listing = (site.folder / "llms.txt").read_text()
    assert re.match(r"# mimgraph\n\n> .+\n\n## ", listing)
    links = re.findall(
        r"^- \[.+?\]\(https://[^/]+/mimgraph/(\S+\.md)\)(?:: .+\.)?$", listing, re.MULTILINE
    )
    assert len(links) == len(listing.split("\n- ")) - 1 > 50
    built = {path.relative_to(site.folder).with_suffix(".md").as_posix() for path in site.pages()}
    assert {*links} | {"index.md"} == built - {"search.md", "genindex.md", "py-modindex.md"}
    for link in links:
        text = (site.folder / link).read_text()
        code = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
        assert not re.search(r"^[`:]{3,}|^<!-- |\{[\w:]+\}`", code, re.MULTILINE), link


def test_the_whole_manual_is_one_file(site: Site) -> None:
    text = (site.folder / "llms-full.txt").read_text()
    for title in ("# shape-mismatch", "# mimgraph check", "# Python API"):
        assert text.count(f"\n{title}\n") == 1


# --- in a browser -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_accessible_and_fits(address: str, tab: Tab, axe: str, kind: str) -> None:
    """Look at a page on a phone and on a wide screen, in the light and in the dark."""
    for theme in ("light", "dark"):
        for width in (390, 1440):
            tab.page.set_viewport_size({"width": width, "height": 900})
            tab.page.goto(f"{address}/{KINDS[kind]}.html")
            tab.page.evaluate("theme => localStorage.setItem('mode', theme)", theme)
            tab.page.reload()
            assert tab.page.evaluate("document.documentElement.dataset.theme") == theme
            assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
            tab.page.add_style_tag(content="* { transition: none !important }")  # of colours
            assert violations(tab.page, axe) == [], (theme, width)
    assert [one for one in tab.requests if urlsplit(one).hostname not in LOCAL] == []


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("shape-mismatch", "errors/shape-mismatch"),
        ("Dense", "layers/Linear"),
        ("cat", "merges/concat"),
        ("self-attention", "layers/MultiheadAttention"),
        ("skip connection", "merges/add"),
        ("GlobalAveragePooling2D", "layers/AdaptiveAvgPool2d"),
        ("--collapse", "command-line/draw"),
        ("load_state", "python/graph"),
    ],
)
def test_a_search_finds(address: str, tab: Tab, words: str, page: str) -> None:
    tab.page.goto(f"{address}/search.html?q={words}")
    tab.page.wait_for_function(
        "() => /finished|matching|match any/.test(document.querySelector('#search-results').innerText)"
    )
    links = tab.page.locator("#search-results li > a").evaluate_all("all => all.map(a => a.href)")
    assert any(f"/{page}.html" in link for link in links[:2]), links[:9]


def test_every_code_has_a_page(site: Site) -> None:
    assert {path.stem for path in (site.folder / "errors").glob("*.html")} == {*CODES, "index"}

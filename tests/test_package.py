"""The package works without the repository: it is built, installed into a fresh environment, and used in an
empty folder.

`MIMGRAPH_DIST` names a folder with a wheel and an sdist to test in place of new ones.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

import mimgraph
from tests.conftest import ROOT, needed

pytestmark = pytest.mark.slow

# names of files in dist-info
METADATA, SBOM = "METADATA", "sboms/vendored.cdx.json"
NET = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(4, 8), nn.Linear(6, 8)
        self.head = nn.Linear(16, 2)

    def forward(self, x, y):
        return self.head(torch.cat([self.left(x), self.right(y)], 1))
"""


def done(*command: str | Path, folder: Path) -> str:
    """Run a program that knows nothing of the repository, and return what it prints."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    run = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    return run.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    if given := os.environ.get("MIMGRAPH_DIST"):
        return Path(given)
    needed("build")
    folder = tmp_path_factory.mktemp("dist")
    done(sys.executable, "-m", "build", "--outdir", folder, ROOT, folder=folder)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (found,) = dist.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        return message_from_string(archive.read(info(METADATA)).decode())


def info(name: str) -> str:
    return f"mimgraph-{mimgraph.__version__}.dist-info/{name}"


def tracked(*folders: str) -> set[str]:
    """Return the paths of the files in the repository that are in folders."""
    listed = subprocess.run(
        ["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(listed.stdout.split())


def test_the_wheel_has_the_package_the_gallery_and_the_language(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = {name for name in tracked("mimgraph") if not name.endswith(".cdx.json")}
    gallery = {name.replace("specs/", "mimgraph/gallery/specs/", 1) for name in tracked("specs")}
    manual = {
        name.replace("docs/language/", "mimgraph/editor/mcp/language/", 1)
        for name in tracked("docs/language/*.md")
    }
    package |= manual
    assert {name for name in names if name.startswith("mimgraph/")} == package | gallery
    licences = {info("licenses/LICENSE"), info("licenses/mimgraph/picture/fonts/OFL.txt")}
    assert names - package - gallery == licences | {
        *(info(name) for name in (METADATA, SBOM, "WHEEL", "RECORD", "entry_points.txt"))
    }


def test_the_sdist_has_what_builds_the_wheel(dist: Path) -> None:
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    top = {"CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml", ".gitignore"}
    assert names - {""} == tracked("mimgraph", "specs", "docs/language", "examples") | top


def test_the_list_of_what_is_vendored_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        listed = json.loads(archive.read(info(SBOM)))
    assert [one["name"] for one in listed["components"]] == ["liberation-fonts"]


def test_the_page_on_pypi_has_whole_links(metadata: Message) -> None:
    page = metadata.get_payload()
    targets = re.findall(r"\]\(([^)\s]+)\)", str(page))
    assert targets and not [to for to in targets if not to.startswith(("https://", "#", "mailto:"))]
    assert metadata["License-Expression"] == "MIT AND OFL-1.1-RFN"
    assert metadata["Version"] == mimgraph.__version__


@pytest.fixture(scope="module")
def bin(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment, which has the wheel, what it needs, and pytest."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    bin = folder / ("Scripts" if os.name == "nt" else "bin")
    done(bin / "python", "-m", "pip", "install", "--quiet", wheel, "pytest", folder=folder)
    return bin


def test_what_is_installed_fits_together(bin: Path, tmp_path: Path) -> None:
    done(bin / "python", "-m", "pip", "check", folder=tmp_path)
    assert (
        done(bin / "mimgraph", "--version", folder=tmp_path) == f"mimgraph {mimgraph.__version__}\n"
    )
    code = "import mimgraph as mg, pathlib; print(pathlib.Path(mg.__file__).parent)"
    place = Path(done(bin / "python", "-c", code, folder=tmp_path).strip())
    assert not place.is_relative_to(ROOT) and (place / "py.typed").exists()


def test_the_pages_about_the_language_are_installed(bin: Path, tmp_path: Path) -> None:
    code = "from mimgraph.editor.mcp.manual import llms, page, pages; print(*pages(), llms()); [*map(page, pages())]"
    printed = done(bin / "python", "-c", code, folder=tmp_path)
    assert (
        printed.startswith("index axes blocks budgets chains ")
        and "mimgraph://language/nodes" in printed
    )


def test_commands_work(bin: Path, tmp_path: Path) -> None:
    mimgraph = bin / "mimgraph"
    assert "two_tower_retrieval" in done(mimgraph, "gallery", folder=tmp_path)
    text = done(mimgraph, "gallery", "image_numerical", folder=tmp_path)
    (tmp_path / "model.yaml").write_text(text)
    assert done(mimgraph, "check", "model.yaml", folder=tmp_path) == "model.yaml: ok, 9 nodes\n"
    assert "Linear" in done(mimgraph, "layers", "Linear", folder=tmp_path)
    assert "cycle" in done(mimgraph, "explain", "cycle", folder=tmp_path)
    for ending in ("svg", "png", "pdf", "html", "mmd", "dot"):
        done(mimgraph, "draw", "model.yaml", "-o", f"model.{ending}", folder=tmp_path)
        assert (tmp_path / f"model.{ending}").stat().st_size > 100
    done(mimgraph, "emit", "model.yaml", "-o", "model.py", folder=tmp_path)
    assert "fc_out  (2, 1)" in done(mimgraph, "run", "model.yaml", folder=tmp_path)


def test_a_module_is_imported(bin: Path, tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text(NET)
    words = ("old.py:Net", "--input", "x=4", "--input", "y=6")
    printed = done(bin / "mimgraph", "import", *words, "-o", "net.yaml", folder=tmp_path)
    assert "are equal bit for bit" in printed
    done(bin / "mimgraph", "new", "net", "--from", *words, folder=tmp_path)
    done(bin / "python", "net/train.py", "--epochs", "1", folder=tmp_path)


def test_a_new_project_runs(bin: Path, tmp_path: Path) -> None:
    words = ("new", "my_model", "--like", "two_tower_retrieval")
    done(bin / "mimgraph", *words, folder=tmp_path)
    printed = done(bin / "python", "my_model/train.py", folder=tmp_path)
    assert "epoch 3: loss " in printed and (tmp_path / "my_model/my_model.safetensors").exists()
    assert "3 passed" in done(bin / "python", "-m", "pytest", folder=tmp_path)

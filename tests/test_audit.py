"""Commands open and run nothing but the spec and the output, as seen by Python's audit hook."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

PLAIN = """\
name: Plain
doc: "a plain text"
params: {depth: 3, width: 4}
inputs:
  image: {shape: [8], doc: "a picture"}
blocks:
  stage: {doc: "a stage", seq: [{Linear: $width}, ReLU]}
nodes:
  left: {block: stage, from: image}
  right: {merge: formula, expr: "a + 1", from: {a: left}}
outputs: {score: {from: right, doc: "a score"}}
"""

# replaces names and texts of the same graph with ones that could be imported, opened or run
TEXTS = {
    "Plain": "Subprocess",
    "a plain text": "__import__('os').system('touch owned')",
    "depth": "sys",
    "width": "antigravity",
    "image": "socket",
    "a picture": "file:///etc/passwd",
    "stage": "ctypes",
    "a stage": "{0.__class__.__mro__[1].__subclasses__} %s %n",
    "left": "http",
    "right": "shutil",
    "score": "this",
    "a score": "$(touch owned) `touch owned` ; touch owned | touch owned",
}
HOSTILE = re.sub("|".join(sorted(TEXTS, key=len, reverse=True)), lambda m: TEXTS[m[0]], PLAIN)

SCRIPT = """
import json, sys
families = {"open", "import", "exec", "compile", "os", "subprocess", "socket", "shutil", "ctypes"}
seen = []
def hook(event, arguments):
    if event.partition(".")[0] in families and len(seen) < 100_000:
        seen.append([event, [a if type(a) in (int, str) else repr(a) for a in arguments]])
sys.addaudithook(hook)
from mimgraph.cli import main
code = main(sys.argv[1:])
sys.stderr.write(json.dumps(seen))
sys.exit(code)
"""

LIBRARY = tuple(
    {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sys.base_prefix, str(ROOT)}
)


class Event(NamedTuple):
    """One event of the hook: `open`, and the path, mode and flags."""

    name: str
    arguments: list[Any]


def audited(command: list[str], spec: str, folder: Path, part: str = "") -> list[Event]:
    """Run a command on `spec.yaml` in a folder, perhaps beside `part.yaml`, and return the events of
    the audit hook."""
    folder.mkdir()
    (folder / "spec.yaml").write_text(spec)
    if part:
        (folder / "part.yaml").write_text(part)
    done = subprocess.run(
        [sys.executable, "-B", "-c", SCRIPT, *command],
        cwd=folder,
        # without what other tests have found out of the models of libraries
        env={**os.environ, "PYTHONPATH": str(ROOT), "MIMGRAPH_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Event(*event) for event in json.loads(done.stderr.splitlines()[-1])]


def beyond_imports(events: list[Event], folder: Path) -> list[str]:
    """Return each file opened, moved or removed and each program run, except files that imports read."""
    found = []
    for name, arguments in events:
        place = str(arguments[0]) if arguments else ""
        if name in ("import", "exec", "compile", "os.listdir"):
            continue
        if name == "subprocess.Popen":
            found.append(" ".join([name, *re.findall(r"'(-.+?)'", arguments[1])]))
        elif not (name == "open" and (place.startswith(LIBRARY) or type(arguments[0]) is int)):
            paths = [p.replace(f"{folder}/", "") for p in arguments if isinstance(p, str) and p]
            words = [re.sub(r"\.[0-9a-f]{16}\.tmp", "TEMPORARY", path) for path in paths]
            found.append(f"{name} {' '.join(words)}")
    return found


def test_a_command_opens_each_part_of_a_spec_once(tmp_path: Path) -> None:
    nodes = "nodes: {y: {block: a, from: x}}\noutputs: y\n"
    spec = f"parts: {{a: part.yaml, b: ./part.yaml}}\ninputs: {{x: [8]}}\n{nodes}"
    folder = tmp_path / "run"
    events = audited(["check", "spec.yaml"], spec, folder, "inputs: {x: [8]}\n" + LAYER)
    assert beyond_imports(events, folder) == [READ, "open part.yaml None"]


LAYER = "nodes: {y: {layer: ReLU, from: x}}\noutputs: y\n"
READ = "open spec.yaml r"
WRITE = [
    *("open TEMPORARY x", "open TEMPORARY None"),  # one file: `open` calls its opener
    *("os.rename TEMPORARY OUT", "os.remove TEMPORARY"),
]
COMMANDS: dict[str, list[str]] = {
    "check spec.yaml": [READ],
    "check spec.yaml --format json": [READ],
    "summary spec.yaml": [READ],
    "emit spec.yaml": [READ],
    "emit spec.yaml -o OUT.py": [READ, *WRITE],
    "draw spec.yaml -o OUT.dot": [READ, *WRITE],
    "draw spec.yaml -o OUT.svg": [READ, *WRITE],
    "draw spec.yaml -o OUT.png": [READ, *WRITE],
    "draw spec.yaml -o OUT.mmd": [READ, *WRITE],
    "draw spec.yaml -o OUT.html": [READ, *WRITE],
    "diff spec.yaml spec.yaml --format md": [READ],
    "layers": [],
}


class Run(NamedTuple):
    """A command that ran on the hostile spec in a folder, and its events."""

    command: str
    folder: Path
    events: list[Event]


@pytest.fixture(scope="module", params=COMMANDS)
def hostile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return one run of each command."""
    folder = tmp_path_factory.mktemp("hostile") / "run"
    return Run(request.param, folder, audited(request.param.split(), HOSTILE, folder))


def test_a_command_touches_the_spec_and_the_output(hostile: Run) -> None:
    command, folder, events = hostile
    words = command.split()
    expected = [line.replace("OUT", words[-1]) for line in COMMANDS[command]]
    assert beyond_imports(events, folder) == expected
    assert {path.name for path in folder.iterdir()} == {"spec.yaml"} | (
        {words[-1]} if "OUT" in command else set()
    )


def test_the_texts_of_a_spec_do_not_change_what_is_imported_and_run(
    hostile: Run, tmp_path: Path
) -> None:
    """Two specs that differ only in names and texts import and compile the same."""
    runs = []
    plain = audited(hostile.command.split(), PLAIN, tmp_path / "plain")
    for events in (plain, hostile.events):
        imported = [event.arguments[0] for event in events if event.name == "import"]
        assert not {"torch", "antigravity", "this"}.intersection(imported)
        code = [
            event.arguments
            for event in events
            # ast.parse compiles the emitted file without a file name, and does not run it
            if event.name == "exec"
            or (event.name == "compile" and event.arguments[1] != "<unknown>")
        ]
        runs.append((imported, [re.sub("0x[0-9a-f]+", "", str(one)) for one in code]))
    assert runs[0] == runs[1]

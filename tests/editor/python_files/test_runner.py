"""A run of a Python file finds the shapes of calls and the first error, and always ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mimgraph.editor.python_files.findings import Findings
from mimgraph.editor.python_files.runner import SECONDS, CannotRun, Run
from tests.helpers.cases import texts

pytestmark = pytest.mark.slow  # each test starts a process

HEAD = "import mimgraph as mg\nfrom mimgraph import layers, merges\n"


def run_file(
    path: str, text: str, python: str = sys.executable, seconds: float = SECONDS
) -> Findings:
    return Run(path, text, python, seconds).wait()


def shown(findings: Findings) -> list[str]:
    return [f"{hint.place.line}:{hint.place.end_column} {hint.text}" for hint in findings.hints]


def told(findings: Findings) -> list[str]:
    return [f"{one.place.line}:{one.place.column} {one.message}" for one in findings.faults]


RUNS = {
    **texts(Path(__file__).with_name("runs.md")),
    "null": ["\0", "fault 1:1 SyntaxError: source code string cannot contain null bytes\n"],
}


@pytest.mark.parametrize("name", RUNS)
def test_a_run(name: str, tmp_path: Path) -> None:
    text, expected = RUNS[name]
    found = run_file(str(tmp_path / "model.py"), HEAD + text)
    lines = [*sorted(shown(found)), *(f"fault {one}" for one in told(found))]
    assert "".join(f"{line}\n" for line in lines or ["nothing"]) == expected, found
    assert found.is_complete is (not found.faults)


ENDLESS = {
    "python": ("while True:\n    pass\n", {3, 4}),
    "c": ("n = 10 ** 10 ** 9\n", {3}),
    "sleep": ("import time\ntime.sleep(60)\n", {4}),
    "catches all": (
        "while True:\n    try:\n        raise SystemExit\n    except BaseException:\n        pass\n",
        {3, 4, 5, 6, 7},
    ),
    "prints": ("while True:\n    print('x' * 1_000)\n", {3, 4}),
    "ignores signals": (
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: pass\n",
        {5},
    ),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_run_without_an_end_is_ended(name: str, tmp_path: Path) -> None:
    text, lines = ENDLESS[name]
    found = run_file(str(tmp_path / "model.py"), HEAD + text, seconds=0.5)
    (fault,) = found.faults
    assert fault.message == "the file ran for more than 0.5 s and was ended"
    assert fault.place.line in lines
    assert len(found.output) <= 20_000


CHILDREN = {
    "a child": "subprocess.Popen(command)\n",
    "a child in a group of its own": "subprocess.Popen(command, start_new_session=True)\n",
    "many": "for _ in range(30): subprocess.Popen(command)\n",
    "forks": "for _ in range(20):\n    if os.fork() == 0: time.sleep(60)\n",
}


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks for processes as Linux lists them")
@pytest.mark.parametrize("end", ["1 / 0\n", "time.sleep(60)\n", "os._exit(0)\n"])
@pytest.mark.parametrize("name", CHILDREN)
def test_children_are_ended(name: str, end: str, tmp_path: Path) -> None:
    sign = f"60.{os.getpid()}{abs(hash((name, end))) % 10_000}"
    text = (
        "import os, subprocess, sys, time\n"
        f"command = [sys.executable, '-c', 'import time; time.sleep({sign})']\n{CHILDREN[name]}"
    )
    run_file(str(tmp_path / "model.py"), text + end, seconds=0.5 if "sleep" in end else 10)
    left = subprocess.run(["ps", "ax", "-o", "args"], capture_output=True, text=True, check=True)
    assert sign not in left.stdout


def test_the_text_runs_and_not_the_file(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("1 / 0\n")
    (tmp_path / "helper.py").write_text(
        f"{HEAD}def net(x):\n    return layers.Linear(2)(layers.ReLU()(x))\n"
    )
    text = 'import mimgraph as mg\nfrom helper import net\ny = net(mg.Input("x", (8,)))\n'
    found = run_file(str(tmp_path / "model.py"), text)
    assert [hint.text for hint in found.hints] == ["(N, 2)", "(N, 8)"] and not found.faults


def test_the_folder_of_the_file_is_first(tmp_path: Path) -> None:
    for name in ("mimgraph", "yaml", "json"):  # ours are imported before
        (tmp_path / f"{name}.py").write_text("1 / 0\n")
    (tmp_path / "colorsys.py").write_text("HERE = 1\n")
    found = run_file(str(tmp_path / "model.py"), f"{HEAD}import colorsys\ncolorsys.HERE\n")
    assert not found.faults


def test_a_file_of_a_package_imports_relatively(tmp_path: Path) -> None:
    package = tmp_path / "pkg" / "sub"
    package.mkdir(parents=True)
    (tmp_path / "pkg" / "__init__.py").touch()
    (package / "__init__.py").touch()
    (tmp_path / "pkg" / "sizes.py").write_text("HIDDEN = 7\n")
    text = f'{HEAD}from ..sizes import HIDDEN\ny = layers.Linear(HIDDEN)(mg.Input("x", (8,)))\n'
    found = run_file(str(package / "model.py"), text)
    assert "(N, 7)" in [hint.text for hint in found.hints] and not found.faults


def test_what_it_prints_is_kept(tmp_path: Path) -> None:
    text = "import os, sys\nprint('a')\nsys.stderr.write('b\\n')\nos.write(1, b'c' * 50_000)\n"
    found = run_file(str(tmp_path / "model.py"), text)
    assert sorted(found.output[:10_000].split()[:3])[:2] == ["a", "b"]
    assert len(found.output) == 20_000 and not found.faults


def test_an_error_refers_to_other_places(tmp_path: Path) -> None:
    path = str(tmp_path / "model.py")
    text = f'{HEAD}x, z = mg.Input("x", (8,)), mg.Input("z", (3, 8))\ny = merges.add(x, z)\n'
    (fault,) = run_file(path, text).faults
    assert fault.code == "shape-mismatch" and "Unsqueeze" in fault.help
    assert {(one.file, one.place.line) for one in fault.mentions} == {(path, 3)}


def test_a_python_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="cannot be started"):
        run_file(str(tmp_path / "model.py"), "", python=str(tmp_path / "python"))


@pytest.mark.skipif(sys.platform == "win32", reason="a script in place of Python")
def test_a_python_without_mimgraph(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho \"$0: No module named 'mimgraph'\" >&2\nexit 1\n")
    python.chmod(0o755)
    (fault,) = run_file(str(tmp_path / "model.py"), "", python=str(python)).faults
    assert "choose the interpreter of the project" in fault.message

"""Run a page of Markdown from top to bottom, as a reader would, and return it with the output of now.

`docs/contributing.md` explains how to write snippets.
"""

from __future__ import annotations

import contextlib
import io
import linecache
import os
import re
import shlex
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import mimgraph as mg
from mimgraph.cli import main

FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>```+|:::+)(?P<language>\S*)[^\n]*\n(?P<text>.*?)^(?P=indent)(?P=fence)$"
    r"|^<!-- (?P<comment>run|around)\n(?P<hidden>.*?)^-->$"
    r"|^<!-- within (?P<percent>\d+) % -->$",
    re.MULTILINE | re.DOTALL,
)
NAME = re.compile(r"(?:#|//|%|<!--) ([\w./-]+\.\w+)(?: -->)?\n")
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
TOOK = re.compile(r" \(\d+\.\d+ s\)")
CODE = "example.py"  # what messages call a block of Python
SHELL = re.compile(
    r"(git (clone|tag|push)|pip|python3? -m (venv|pip|build)|\.?[\w/.]*/pip|npm|cd|source|\.) ?.*"
)


class Snippet(NamedTuple):
    """A fenced block: its language, its text, where the text is in the page, and the name of the file that
    it is written to; "" if it is none. A hidden one is a comment `run` (Python), `around` (YAML) or `within`
    (a number of percent)."""

    language: str
    text: str
    start: int
    end: int
    file: str = ""


def snippets(page: str, start: int = 0, end: int | None = None) -> Iterator[Snippet]:
    """Yield the blocks of a page, and the comments that run, in order; a block of colons, such as a tab, is
    looked into."""
    for found in FENCE.finditer(page, start, len(page) if end is None else end):
        if comment := found["comment"]:
            yield Snippet(comment, found["hidden"], *found.span("hidden"))
        elif percent := found["percent"]:
            yield Snippet("within", percent, *found.span("percent"))
        elif found["fence"].startswith(":"):
            yield from snippets(page, *found.span("text"))
        elif not found["indent"]:
            named = NAME.match(found["text"])
            file = named[1] if named else ""
            yield Snippet(found["language"], found["text"], *found.span("text"), file)


def run(page: str, folder: Path) -> str:
    """Run all snippets in a folder, which is the working directory, and return the page with the output that
    they print now. An output that matches what the page shows, `...` standing for any text, is kept."""
    story = _Story(folder)
    edits = [edit for snippet in snippets(page) for edit in story.run(snippet)]
    story.check_shown()
    for start, end, text in reversed(edits):
        page = f"{page[:start]}{text}{page[end:]}"
    return page


class _Story:
    """The state of a page while it runs: its names in Python, what was printed, and YAML to be put around."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "__main__"}
        # by the last block of Python, until an output block shows it
        self.printed: str | None = None
        self.failure = ""  # the type of the exception that ended that block
        self.around = ""
        self.percent = 0  # that fractions in the next output may differ by

    def run(self, snippet: Snippet) -> Iterator[tuple[int, int, str]]:
        """Run one block, and yield what changes in the page: from where to where, and the text."""
        if snippet.language == "within":
            self.percent = int(snippet.text)
            return
        percent, self.percent = self.percent, 0
        if snippet.language != "output":
            self.check_shown()
        printed, self.printed = self.printed, None
        if snippet.language == "output":
            assert printed is not None, f"no block of Python stands before: {snippet.text}"
            meant = self.failure in snippet.text
            assert meant, f"write {self.failure} in the output block if it is meant: {printed}"
            if not matches(snippet.text, printed, percent):
                yield snippet.start, snippet.end, f"{printed.rstrip()}\n"
            return
        if snippet.file:
            path = self.folder / snippet.file
            inside = path.resolve().is_relative_to(self.folder.resolve())
            assert inside, f"the page would change the gallery: {snippet.file}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(snippet.text)
            sys.modules.pop(path.stem, None)  # of a test before, whose file has the same name
        elif snippet.language in ("python", "run"):
            self.printed = self._python(snippet)
            if snippet.language == "run":
                self.printed = None
        elif snippet.language == "around":
            self.around = snippet.text
        elif snippet.language == "yaml":
            mg.loads(snippet.text + self.around)
            self.around = ""
        elif snippet.language == "console":
            yield from self._console(snippet, percent)
        elif snippet.language == "sh":
            for line in re.sub(r"\\\n", "", snippet.text).splitlines():
                for command in line.split(" && "):
                    assert SHELL.fullmatch(command), f"write console, so that it runs: {command}"
        else:
            known = ("text", "toml", "json", "lua", "elisp", "diff", "mermaid", "pycon", "")
            assert snippet.language in known or snippet.language.startswith("{"), snippet.language

    def check_shown(self) -> None:
        """Fail if the last block of Python printed something, and no output block stands below it."""
        assert not self.printed, f"printed, but the page shows no output: {self.printed}"

    def _python(self, snippet: Snippet) -> str:
        """Run Python, and return what it prints; an exception is printed as its type and message."""
        printed = io.StringIO()
        lines = snippet.text.splitlines(keepends=True)
        # for messages that show a line
        linecache.cache[CODE] = (len(snippet.text), None, lines, CODE)
        self.failure = ""
        with contextlib.redirect_stdout(printed):
            try:
                exec(compile(snippet.text, CODE, "exec"), self.names)  # noqa: S102 - the page's code
            except mg.SpecError as error:
                self.failure = "error["
                print(error)
            except Exception as error:
                if snippet.language == "run":
                    raise
                self.failure = type(error).__name__
                print("".join(traceback.format_exception_only(error)), end="")
        return printed.getvalue()

    def _console(self, snippet: Snippet, percent: int) -> Iterator[tuple[int, int, str]]:
        """Run commands, mimgraph itself in this process."""
        for found in COMMAND.finditer(snippet.text):
            status, printed = command(found[1].replace("\\\n", ""), self.folder)
            assert printed or not status, f"failed, and printed nothing: {found[1]}"
            if not matches(found[2], printed, percent):
                meant = not status or "error" in found[2].lower()
                assert meant, f"write error: below {found[1]} if it is meant: {printed}"
                start, end = (snippet.start + place for place in found.span(2))
                yield start, end, f"{printed.rstrip()}\n"


def command(text: str, folder: Path) -> tuple[int, str]:
    """Return the exit status of a command, and what it prints, errors too."""
    if text.startswith("mimgraph ") and not re.search(r"[|<>&;$*]", text):
        printed, before = io.StringIO(), set(sys.modules)
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            status = main(shlex.split(text)[1:])
        forget_modules(folder, before)
        return status, printed.getvalue()
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    modules = os.pathsep.join(
        filter(None, [str(Path(mg.__file__).parent.parent), os.environ.get("PYTHONPATH")])
    )
    done = subprocess.run(
        ["bash", "-c", text],
        cwd=folder,
        env={**os.environ, "PATH": places, "PYTHONPATH": modules},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def forget_modules(folder: Path, before: set[str]) -> None:
    """Remove the modules in a folder that were imported since, as a new process would not have them."""
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file and Path(file).is_relative_to(folder):
            del sys.modules[name]


def matches(shown: str, printed: str, percent: int = 0) -> bool:
    """Return whether a page shows an output, `...` standing for any text; how long it took does not count.

    Fractions may differ by some percent: other versions of torch train to other digits.
    """
    shown, printed = (TOOK.sub("", text.strip()) for text in (shown, printed))
    words = re.split(r"(\.\.\.|\d+\.\d+| +)" if percent else r"(\.\.\.)", shown)
    fractions = [float(word) for word in words[1::2] if word.strip(" .")]
    patterns = [
        re.escape(word)
        if place % 2 == 0
        else ".*?"
        if word == "..."
        else " +"
        if word.isspace()
        else r"(\d+\.\d+)"
        for place, word in enumerate(words)
    ]
    found = re.fullmatch("".join(patterns), printed, re.DOTALL)
    return found is not None and all(
        abs(float(ours) - theirs) <= percent / 100 * theirs
        for ours, theirs in zip(found.groups(), fractions, strict=True)
    )

"""Turn a page of the manual into plain Markdown, without directives of Sphinx and notes for the tests."""

from __future__ import annotations

import re
from collections.abc import Iterator

# comments for the tests
HIDDEN = re.compile(
    r"^<!-- (?:(?:run|around)\n.*?^-->|(?:slow|table|end of table|within \d+ %) -->)$",
    re.MULTILINE | re.DOTALL,
)
HEAD = re.compile(r"\A---\n.*?^---\n+", re.MULTILINE | re.DOTALL)
OPEN = re.compile(r"^(?P<fence>`{3,}|:{3,})\{(?P<name>[\w:-]+)\} ?(?P<argument>.*)$")
OPTION = re.compile(r"^:(?P<name>[\w-]+): ?(?P<value>.*)$")
ROLE = re.compile(r"\{[\w:]+\}`([^`<]*?) ?(?:<[^`>]*>)?`")
NOT_FOR_READERS = {"index", "raw", "toctree", "program", "py:currentmodule", "py:module"}


def plain(text: str) -> str:
    """Return a page as plain Markdown."""
    lines = HIDDEN.sub("", HEAD.sub("", text)).split("\n")
    text = "\n".join(_without_directives(lines))
    return re.sub(r"\n{3,}", "\n\n", ROLE.sub(r"`\1`", text)).strip("\n") + "\n"


def _without_directives(lines: list[str]) -> Iterator[str]:
    """Yield the lines with directives as Markdown; those that lay out a page leave their content."""
    open_: list[tuple[str, str]] = []  # fences of the directives around, and what their end becomes
    at = 0
    while at < len(lines):
        line, at = lines[at], at + 1
        if open_ and line.rstrip() == open_[-1][0]:
            yield open_.pop()[1]
            continue
        if not (found := OPEN.match(line)):
            if fence := re.match(r"`{3,}", line):  # a block of code has no directives in it
                yield line
                while at < len(lines):
                    yield lines[at]
                    at += 1
                    if lines[at - 1].rstrip() == fence[0]:
                        break
            else:
                yield line
            continue
        options: dict[str, str] = {}
        while at < len(lines) and (option := OPTION.match(lines[at])):
            options[option["name"]] = option["value"]
            at += 1
        if found["name"] in NOT_FOR_READERS:
            while at < len(lines) and lines[at].rstrip() != found["fence"]:
                at += 1
            at += 1
            continue
        begin, end = _shown(found["name"], found["argument"].strip(), options)
        if begin == "```" + found["argument"].strip() and at < len(lines) and not lines[at]:
            at += 1
        yield begin
        open_.append((found["fence"], end))


def _shown(name: str, argument: str, options: dict[str, str]) -> tuple[str, str]:
    """Return what stands for the begin and end of a directive."""
    if name == "code-block":
        return f"```{argument}", "```"
    if name.startswith("py:"):
        return f"### `{argument}`", ""
    if name == "option":
        return f"**`{argument}`**", ""
    if name in ("image", "figure"):
        return f"![{options.get('alt', '')}]({argument})", ""
    if "link" in options:
        return f"- [{argument}]({options['link']}.md)", ""
    return (f"**{argument}**" if argument and not argument[0].isdigit() else ""), ""


def first_sentence(text: str) -> str:
    """Return the first sentence of a page, its full stop included; "" if it begins with something else."""
    paragraph = next(iter(text.partition("\n\n")[2].split("\n\n")), "").strip()
    if not re.match(r"[\w`*\[(]", paragraph):
        return ""
    sentence = re.split(r"(?<=[.:]) ", " ".join(paragraph.split()))[0].rstrip(":.")
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", sentence) + "."

"""Colour what mimgraph prints: diagnostics, alone or below a command or a block of Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from pygments.lexer import RegexLexer, bygroups
from pygments.lexers.shell import BashSessionLexer
from pygments.token import Comment, Generic, Name, Text

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class DiagnosticLexer(RegexLexer):
    """Diagnostics as `mimgraph check` prints them on a terminal; other lines stay plain."""

    name = "text"
    tokens: ClassVar[dict[str, list[Any]]] = {
        "root": [
            (r"^(error)(\[)([\w-]+)(\])(:.*\n)", bygroups(*[Generic.Error] * 4, Generic.Strong)),
            (
                r"^(warning|remark|note)(\[)([\w-]+)(\])(:.*\n)",
                bygroups(*[Generic.Deleted] * 4, Generic.Strong),
            ),
            (r"^( *-->)( .*\n)", bygroups(Comment, Text)),
            (r"^( *\|)( +)(\^+)(.*\n)", bygroups(Comment, Text, Generic.Error, Generic.Error)),
            (r"^( *\|)( +)(-+)(.*\n)", bygroups(Comment, Text, Name.Label, Name.Label)),
            (r"^( *\d* \|)(.*\n)", bygroups(Comment, Text)),
            (r"^( +=)( )(help|note)(:.*\n)", bygroups(Comment, Text, Generic.Strong, Text)),
            (r".*\n", Text),
        ]
    }


class ConsoleLexer(BashSessionLexer):
    """Commands after `$`, and the diagnostics that they print."""

    name = "console"

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, Any, str]]:
        """Yield the tokens of the commands, and those of what they print line by line."""
        diagnostics = DiagnosticLexer()
        for at, kind, value in super().get_tokens_unprocessed(text):
            if kind is Generic.Output:
                for inner, token, part in diagnostics.get_tokens_unprocessed(value):
                    yield at + inner, token, part
            else:
                yield at, kind, value


class OutputLexer(DiagnosticLexer):
    """What a block of Python prints."""

    name = "output"


def setup(app: Sphinx) -> None:
    """Register the languages of fences."""
    app.add_lexer("text", DiagnosticLexer)
    app.add_lexer("diagnostic", DiagnosticLexer)
    app.add_lexer("console", ConsoleLexer)
    app.add_lexer("output", OutputLexer)

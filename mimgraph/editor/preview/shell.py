"""Write the page around the picture: its status, its faults, and the script that follows the server."""

from __future__ import annotations

import os
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template


def shell(path: str, has_editor: bool) -> str:
    """Return the page of a preview of the spec at a path."""
    name = os.path.basename(path).encode("utf-8", "replace").decode()
    return Template(_asset("shell.html")).substitute(
        name=escape(name),
        style=_asset("shell.css"),
        script=_asset("shell.js"),
        editor="yes" if has_editor else "no",
    )


def policy() -> str:
    """Return the policy of the page: its own script and style, its own server, and nothing else.

    Editors may show it inside theirs; no other page may.
    """
    return (
        f"default-src 'none'; script-src {_hash('shell.js')}; style-src {_hash('shell.css')};"
        " connect-src 'self'; frame-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'self' vscode-webview:"
    )


def _asset(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def _hash(name: str) -> str:
    """Return the hash by which the policy allows a script or style."""
    return f"'sha256-{b64encode(sha256(_asset(name).encode()).digest()).decode()}'"

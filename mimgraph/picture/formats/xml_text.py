"""Text and attributes of SVG and HTML; Python's `xml.sax` imports network code, `html` all entities."""

from __future__ import annotations


def escape(text: str) -> str:
    """Return text for the content of an element."""
    return text.replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;")


def quoted(text: str) -> str:
    """Return text as the value of an attribute, with its quotes."""
    text = escape(text)
    if "\n" in text or "\r" in text or "\t" in text:
        text = text.replace("\n", "&#10;").replace("\r", "&#13;").replace("\t", "&#9;")
    if '"' not in text:
        return f'"{text}"'
    return f"'{text}'" if "'" not in text else f'"{text.replace(chr(34), "&quot;")}"'


def escape_html(text: str) -> str:
    """Return text for the content of an element or the value of an attribute of HTML."""
    return escape(text).replace('"', "&quot;").replace("'", "&#x27;")

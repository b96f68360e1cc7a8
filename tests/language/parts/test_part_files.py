"""Which files can be parts: regular files of specs in the folder of the first spec, bounded in sum."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

import mimgraph as mg
from tests.helpers.cases import each

PART = "inputs: {x: [5]}\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y\n"
USE = "inputs: {x: [5]}\nnodes: {y: {block: p, from: x}}\noutputs: y\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the spec, which has a part outside of it and parts and links inside."""
    inside = tmp_path / "inside"
    (inside / "sub").mkdir(parents=True)
    for path in ("out.yaml", "inside/part.yaml", "inside/sub/part.yaml"):
        (tmp_path / path).write_text(PART)
    monkeypatch.chdir(inside)
    return inside


def message(path: str) -> str:
    """Return the code and message of the one fault of a spec with this part, at its path; ""
    if it is legal."""
    Path("main.yaml").write_text(f"parts: {{p: {json.dumps(path)}}}\n{USE}")
    try:
        mg.load("main.yaml")
    except mg.SpecError as error:
        (fault,) = error.diagnostics
        assert (fault.span.file.name, fault.span.line, fault.span.column) == ("main.yaml", 1, 12)
        return f"{fault.code}: {fault.message}; {fault.help}"
    return ""


LEGAL = ["part.yaml", "./part.yaml", "sub/../part.yaml", "sub//part.yaml", "link.yaml", "linked/part.yaml"]  # fmt: skip


@pytest.mark.parametrize("path", LEGAL)
def test_a_file_in_the_folder_is_a_part(path: str) -> None:
    os.symlink("part.yaml", "link.yaml")
    os.symlink("sub", "linked")
    assert message(path) == ""


def test_a_spec_is_found_from_any_folder_and_by_a_link(folder: Path, tmp_path: Path) -> None:
    Path("main.yaml").write_text(f"parts: {{p: sub/part.yaml}}\n{USE}")
    os.symlink("main.yaml", "spec.yaml")
    os.chdir(tmp_path)
    for path in (
        *("inside/main.yaml", folder / "main.yaml", "inside/sub/../main.yaml", "inside/spec.yaml"),
    ):
        assert mg.load(path).outputs


PATHS = [
    ("../out.yaml", "bad-part: ../out.yaml is outside the folder; a part is a .yaml, .yml or .json file in the folder of the spec"),
    ("../inside/part.yaml", "bad-part: ../inside/part.yaml is outside the folder"),
    ("sub/../../out.yaml", "bad-part: ../out.yaml is outside the folder"),
    ("../" * 5000, "bad-part: ../../"),
    ("/etc/passwd", "bad-part: '/etc/passwd' cannot be the path of a part; write the path from"),
    ("C:\\part.yaml", "bad-part: 'C:\\\\part.yaml' cannot be the path"),
    ("C:part.yaml", "bad-part: 'C:part.yaml' cannot be"),
    ("sub\\part.yaml", "bad-part: 'sub\\\\part.yaml' cannot be the path of a part; write sub/part.yaml"),
    ("file:///etc/passwd", "bad-part: 'file:///etc/passwd' cannot be"),
    ("https://a.b/part.yaml", "bad-part: 'https://a.b/part.yaml' cannot be the path of a part; a part is a file"),
    ("$part", "bad-part: '$part' cannot be the path of a part; a path holds no params"),
    ("part.yaml\0", "bad-part: 'part.yaml\\x00' cannot be"),
    ("part.yaml:stream", "bad-part: 'part.yaml:stream' cannot be"),
    ("\u202epart.yaml", "bad-part: '\\u202epart.yaml' cannot be"),
    ("", "bad-part: '' cannot be"),
    (".", "bad-part: . does not end in .yaml, .yml or .json"),
    ("sub", "bad-part: sub does not end in .yaml, .yml or .json; a part is a .yaml, .yml or .json file in the folder of the spec"),
    ("sub/", "bad-part: sub does not end in"),
    ("main.yaml", "cycle: parts contain each other: main.yaml -> main.yaml"),
    ("part.yml", "bad-part: there is no file part.yml; did you mean part.yaml?"),
    ("sub/prat.yaml", "bad-part: there is no file sub/prat.yaml; did you mean sub/part.yaml?"),
    ("sab/part.yaml", "bad-part: there is no file sab/part.yaml; did you mean sub/part.yaml?"),
    ("part.yaml/x", "bad-part: part.yaml/x does not end in"),
    ("part.yaml/x.yaml", "bad-part: there is no file part.yaml/x.yaml"),
    ("x" * 300 + ".yaml", "bad-part: xxx"),
]  # fmt: skip


@each("path, expected", PATHS)
def test_a_path_that_is_none(path: str, expected: str) -> None:
    assert message(path).startswith(expected)


def _socket(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path)


def _sparse(path: str) -> None:
    with open(path, "wb") as file:
        file.truncate(1 << 40)


# files that exist; their text is shown by no message
HIDDEN = [
    (".env", "bad-part: .env is hidden; a part is a .yaml, .yml or .json file in the folder of the spec"),
    (".s.yaml", "bad-part: .s.yaml is hidden"),
    (".hid/s.yaml", "bad-part: .hid/s.yaml is hidden"),
    ("sub/.hid/s.yaml", "bad-part: sub/.hid/s.yaml is hidden"),
    ("./.hid/s.yaml", "bad-part: .hid/s.yaml is hidden"),
    ("linked/s.yaml", "bad-part: linked/s.yaml is a link to .hid/s.yaml, which is hidden"),
    ("link.yaml", "bad-part: link.yaml is a link to .env, which is hidden"),
    (".hid/link.yaml", "bad-part: .hid/link.yaml is hidden"),
    ("text.yaml", "bad-part: text.yaml is a link to secret.txt, which does not end in .yaml, .yml or .json"),
    ("secret.txt", "bad-part: secret.txt does not end in .yaml, .yml or .json"),
    ("secret", "bad-part: secret does not end in .yaml, .yml or .json"),
    ("hid/s.yaml", "bad-part: there is no file hid/s.yaml; "),  # not: did you mean .hid/s.yaml?
]  # fmt: skip


@pytest.mark.parametrize(("path", "expected"), HIDDEN)
def test_a_file_that_no_spec_may_name(path: str, expected: str) -> None:
    for folder in (".hid", "sub/.hid"):
        Path(folder).mkdir()
        Path(folder, "s.yaml").write_text("SECRET=1")
    for name in (".env", ".s.yaml", "secret.txt", "secret"):
        Path(name).write_text("SECRET=1")
    for link, to in {"linked": ".hid", "link.yaml": ".env", ".hid/link.yaml": "../part.yaml", "text.yaml": "secret.txt"}.items():  # fmt: skip
        os.symlink(to, link)
    assert message(path).startswith(expected)


def test_hidden_names_count_from_the_folder_of_the_first_spec() -> None:
    Path("sub/.hid/deep").mkdir(parents=True)
    Path("sub/.hid/deep/part.json").write_text(PART)
    Path("sub/.hid/.main.yaml").write_text(f"parts: {{p: deep/part.json}}\n{USE}")
    assert mg.load("sub/.hid/.main.yaml").outputs


FILES: dict[str, tuple[Callable[[str], object], str]] = {
    "a link out of the folder": (lambda path: os.symlink("../out.yaml", path), "bad-part: at.yaml is a link that leads out"),
    "a link to a device": (lambda path: os.symlink("/dev/zero", path), "bad-part: at.yaml is a link that leads out"),
    "a link to itself": (lambda path: os.symlink(path, path), "bad-part: at.yaml cannot be read: "),
    "a link to nothing": (lambda path: os.symlink("none.yaml", path), "bad-part: there is no file at.yaml"),
    "a directory": (os.mkdir, "bad-part: at.yaml is not a regular file"),
    "a pipe": (os.mkfifo, "bad-part: at.yaml is not a regular file"),
    "a socket": (_socket, "bad-part: at.yaml is not a regular file"),
    "a huge file": (_sparse, "too-large: at.yaml has more than 1,048,576 bytes"),
    "a long file": (lambda path: Path(path).write_text("#" * (1 << 20) + "\n"), "too-large: at.yaml has more than"),
    "nothing": (lambda path: Path(path).touch(), "bad-part: at.yaml is empty, not a spec"),
    "weights": (lambda path: Path(path).write_bytes(b"PK\3\4 archive/data.pkl"), "bad-part: at.yaml is a checkpoint that torch.save wrote, not a spec"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "expected"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_part(make: Callable[[str], object], expected: str) -> None:
    make("at.yaml")
    assert message("at.yaml").startswith(expected)


def test_a_file_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)  # root may read everything
    assert message("part.yaml") == "bad-part: part.yaml cannot be read: Permission denied; "


def test_a_text_that_is_not_utf_8_is_reported_at_the_byte() -> None:
    Path("part.yaml").write_bytes(PART.encode() + b"# \xe9\n")
    Path("main.yaml").write_text(f"parts: {{p: part.yaml}}\n{USE}")
    with pytest.raises(mg.SpecError, match="the text is not UTF-8\n *--> part.yaml:4:3"):
        mg.load("main.yaml")


def test_a_missing_part_of_a_part_is_sought_beside_it() -> None:
    Path("sub/outer.yaml").write_text(f"parts: {{p: prt.yaml}}\n{USE}")
    Path("main.yaml").write_text(f"parts: {{p: sub/outer.yaml}}\n{USE}")
    with pytest.raises(mg.SpecError, match="did you mean part.yaml?"):
        mg.load("main.yaml")
    Path("sub/outer.yaml").write_text(f"parts: {{p: ../../out.yaml}}\n{USE}")
    with pytest.raises(mg.SpecError, match="out.yaml is outside the folder"):
        mg.load("main.yaml")


@pytest.mark.slow  # 20,000 parts
def test_parts_are_bounded_in_sum() -> None:
    def code(first: str) -> list[str]:
        Path("main.yaml").write_text(first + USE)
        with pytest.raises(mg.SpecError) as caught:
            mg.load("main.yaml")
        return [fault.code for fault in caught.value.diagnostics]

    def doubled(count: int, names: str) -> str:
        """Write a chain of parts, each of which names the next one once or twice."""
        for index in range(count):
            text = f"parts: {{{', '.join(f'{name}: p{index + 1}.yaml' for name in names)}}}\n{USE}"
            Path(f"p{index}.yaml").write_text(text)
        Path(f"p{count}.yaml").write_text(PART)
        return "parts: {p: p0.yaml}\n"

    many = "".join(f"  p{index or ''}: part.yaml\n" for index in range(20_000))
    assert code(f"parts:\n{many}") == ["too-large"]
    assert code(doubled(12, "pq")) == ["too-large"]
    assert code(doubled(30, "p")) == ["too-large"]
    doubled(6, "pq")
    assert len(mg.load("p0.yaml").blocks) == 12  # those that are used
    Path("part.yaml").write_text(PART + "#" * (1 << 19))
    assert code("parts: {p: part.yaml, q: part.yaml}\n") == ["too-large"]


def test_a_spec_in_weights_or_a_text_has_no_parts() -> None:
    for load in (mg.loads, lambda text: mg.loads(text, name="inside/main.yaml")):
        with pytest.raises(mg.SpecError, match="bad-part"):
            load(f"parts: {{p: part.yaml}}\n{USE}")

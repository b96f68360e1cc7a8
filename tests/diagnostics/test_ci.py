"""Checks the renderers for continuous integration: SARIF and GitHub Actions."""

from __future__ import annotations

import json
from pathlib import Path

from mimgraph.diagnostics import Diagnostic, Label
from mimgraph.diagnostics.ci import render_github, render_sarif
from mimgraph.source import SourceFile, Span

SPEC = SourceFile("specs/a b.yaml", "x\n" * 9)
FAULT = Diagnostic(
    "shape-mismatch",
    "add needs equal shapes",
    Span(SPEC, 9, 33, 9, 41),
    "(N, 5), but a is (N, 6)",
    (Label(Span(SPEC, 7, 3, 7, 11), "(N, 6)"),),
    "project it",
    "stage.0.sum",
)
PLAIN = Diagnostic("wrong-type", "100%: no", Span(SPEC, 1, 1, 3, 2))


def test_sarif() -> None:
    """The expected text was checked by hand against the SARIF 2.1.0 schema of OASIS."""
    log = json.loads(render_sarif([FAULT, PLAIN, FAULT]))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    driver = run["tool"]["driver"]
    assert driver["name"] == "mimgraph"
    assert [rule["id"] for rule in driver["rules"]] == ["shape-mismatch", "wrong-type"]
    assert [found["ruleIndex"] for found in run["results"]] == [0, 1, 0]
    assert run["results"][0] == {
        "ruleId": "shape-mismatch",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "add needs equal shapes: (N, 5), but a is (N, 6)\nhelp: project it"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "specs/a%20b.yaml"},
                    "region": {"startLine": 9, "startColumn": 33, "endLine": 9, "endColumn": 41},
                },
                "logicalLocations": [{"fullyQualifiedName": "stage.0.sum"}],
            }
        ],
        "relatedLocations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "specs/a%20b.yaml"},
                    "region": {"startLine": 7, "startColumn": 3, "endLine": 7, "endColumn": 11},
                },
                "message": {"text": "(N, 6)"},
            }
        ],
    }
    assert "relatedLocations" not in run["results"][1]


def test_sarif_without_diagnostics_is_a_run_without_results() -> None:
    (run,) = json.loads(render_sarif([]))["runs"]
    assert run["results"] == [] == run["tool"]["driver"]["rules"]


def test_sarif_of_an_absolute_path(tmp_path: Path) -> None:
    file = SourceFile(str(tmp_path / "a.yaml"), "x")
    log = json.loads(render_sarif([Diagnostic("cycle", "no", Span(file, 1, 1, 1, 2))]))
    (found,) = log["runs"][0]["results"]
    uri = found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == (tmp_path / "a.yaml").as_uri()


def test_github() -> None:
    assert render_github([FAULT, PLAIN]).split("\n") == [
        (
            "::error file=specs/a b.yaml,line=9,endLine=9,col=33,endColumn=41,title=shape-mismatch::"
            "add needs equal shapes: (N, 5), but a is (N, 6)%0Ahelp: project it"
        ),
        "::error file=specs/a b.yaml,line=1,endLine=3,col=1,title=wrong-type::100%25: no",
    ]
    assert render_github([]) == ""


def test_no_text_from_a_spec_ends_a_github_command() -> None:
    file = SourceFile("a,b:c%\n::stop.yaml", "x")
    text = "\r\n::set-output name=x::1\u2028\x1b[0m%0A"
    fault = Diagnostic("cycle", text, Span(file, 1, 1, 1, 2), help=text)
    rendered = render_github([fault])
    assert rendered.splitlines() == [rendered]
    assert rendered.startswith(
        "::error file=a%2Cb%3Ac%25\\n%3A%3Astop.yaml,line=1,endLine=1,col=1,endColumn=2,title=cycle::"
        "\\r%0A::set-output name=x::1\\u2028\\x1b[0m%250A%0Ahelp: "
    )

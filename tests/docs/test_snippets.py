"""The runner of snippets runs what it should, and finds what a page shows wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.snippets import matches, run

pytestmark = pytest.mark.slow

PAGE = """\
# A page

```yaml
# model.yaml
inputs: {x: [4]}
nodes:
  y: {layer: Linear, from: x, out_features: 2}
outputs: y
```

```console
$ mimgraph check model.yaml
wrong
```

<!-- run
n = 3
-->

```python
print(n + 1)
```

```output
5
```
"""


def test_outputs_are_replaced_by_those_of_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    now = run(PAGE, tmp_path)
    assert "```output\n4\n```" in now and "wrong" not in now and "model.yaml: " in now
    assert run(now, tmp_path) == now


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ("```python\nprint(1)\n```\n\n```python\n```\n", "shows no output"),
        ("```python\nprint(1)\n```\n", "shows no output"),
        ("```python\nno_name\n```\n", "shows no output: NameError"),
        ("```console\n$ test -f none.yaml\n```\n", "failed, and printed nothing"),
        ("```output\n1\n```\n", "no block of Python"),
        ("```sh\nrm -r x\n```\n", "write console"),
        ("```ruby\n```\n", "ruby"),
        ("```python\nno_name\n```\n\n```output\n```\n", "write NameError in the output block"),
        ("```console\n$ mimgraph check none.yaml\n```\n", "write error: below"),
    ],
)
def test_what_cannot_run_is_refused(page: str, fault: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=fault):
        run(page, tmp_path)


def test_the_gallery_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "gallery").mkdir()
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "specs").symlink_to(tmp_path / "gallery")
    with pytest.raises(AssertionError, match="would change the gallery: specs/x.yaml"):
        run("```yaml\n# specs/x.yaml\n```\n", tmp_path / "page")


def test_a_fragment_is_completed_by_a_comment(tmp_path: Path) -> None:
    page = "<!-- around\ninputs: {x: [4]}\noutputs: y\n-->\n\n```yaml\nnodes: {y: {layer: ReLU, from: x}}\n```\n"
    assert run(page, tmp_path) == page


def test_the_insides_of_tabs_and_cards_run(tmp_path: Path) -> None:
    page = (
        "::::{grid} 2\n:::{grid-item}\n```python\nprint(2)\n```\n\n```output\n1\n```\n:::\n::::\n"
    )
    assert run(page, tmp_path) == page.replace("\n1\n", "\n2\n")


def test_dots_stand_for_any_text() -> None:
    assert matches("a ... s\nb", "a 0.3 s\nb\n")
    assert not matches("a ... s", "a 0.3 s\nb\n")


def test_the_time_that_a_command_took_does_not_count() -> None:
    assert matches("wrote a.svg (0.3 s)", "wrote a.svg (1.2 s)\n")
    assert matches("wrote a.svg", "wrote a.svg (1.2 s)\n")


def test_fractions_may_differ_by_some_percent() -> None:
    assert matches("7 weights: error  9.9", "7 weights: error 10.1\n", percent=5)
    assert not matches("7 weights: error 9.9", "7 weights: error 10.9\n", percent=5)
    assert not matches("7 weights: error 9.9", "8 weights: error 9.9\n", percent=5)
    assert not matches("7 weights: error 9.9", "7 weights: error 10.1\n")
    assert matches("...\nerror 9.9", "1.5 s of 3\nerror 10.1\n", percent=5)


def test_a_comment_says_by_how_many_percent_the_next_output_may_differ(tmp_path: Path) -> None:
    page = "```python\nprint(1.01)\n```\n\n<!-- within 5 % -->\n```output\n1.0\n```\n"
    assert run(page, tmp_path) == page
    assert run(page.replace("5 %", "0 %"), tmp_path) != page


def test_a_command_may_be_broken_into_lines(tmp_path: Path) -> None:
    page = "```console\n$ echo a \\\n    b\na b\n$ echo c\nc\n```\n"
    assert run(page, tmp_path) == page


def test_a_command_reads_a_file_as_it_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = "```python\n# net.py\nfrom torch import nn\n\nnet = nn.{}()\n```\n\n"
    ask = "```console\n$ mimgraph summary net.py:net --input input=4\n```\n\n"
    monkeypatch.chdir(tmp_path)
    now = run(f"{net.format('ReLU')}{ask}{net.format('Tanh')}{ask}", tmp_path)
    _, first, second = now.split("$ mimgraph")
    assert "ReLU" in first and "Tanh" in second

"""Every code block of the README runs, and prints what stands below it."""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

import figures

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.usefixtures("rules_restored")
def test_code_prints_what_the_readme_says() -> None:
    names: dict[str, Any] = {"__name__": "readme"}
    checked = 0
    for (language, text), (next_language, expected) in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True):
        if language != "python":
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(text, "README.md", "exec"), names)
        if next_language == "text":
            assert printed.getvalue().strip() == expected.strip()
            checked += 1
        else:
            assert not printed.getvalue()
    assert checked >= 5


def test_the_first_example_and_its_result_stand_early() -> None:
    lines = README.splitlines()
    assert lines.index("```text") < 25


def test_every_block_is_python_output_or_shell() -> None:
    assert {language for language, _ in BLOCKS} == {"python", "text", "sh"}


def test_the_times_of_training_steps_are_those_of_the_benchmarks() -> None:
    page = figures.BENCHMARKS.read_text(encoding="utf-8")
    measured = {(case, contestant): time for case, contestant, time in figures.timings(page)}
    table = README.partition("<!-- training steps -->\n")[2].partition("<!-- end of training steps -->")[0]
    (_, *names), _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines())
    assert len(rows) == 2 and len(names) == 7
    for case, *times in rows:
        for name, time in zip(names, times, strict=True):
            assert figures.duration(measured[f"training step, {case}", name]) == time

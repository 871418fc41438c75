"""The README: short, with an example at once, and times that were measured."""

import figures
from tests.pages import ROOT, blocks, text_of

README = text_of(ROOT / "README.md")


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 250


def test_the_first_example_and_its_result_stand_early() -> None:
    lines = README.splitlines()
    assert lines.index("```text") < 25


def test_there_are_examples() -> None:
    languages = [language for language, _ in blocks(README)]
    assert languages.count("python") >= 9 and languages.count("text") >= 9 and languages.count("sh") == 1


def test_the_times_of_training_steps_are_those_of_the_benchmarks() -> None:
    measured = {(case, name): time for case, name, time in figures.timings(text_of(figures.BENCHMARKS))}
    table = README.partition("<!-- training steps -->\n")[2].partition("<!-- end of training steps -->")[0]
    (_, *names), _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines())
    assert len(rows) == 2 and len(names) == 7
    for case, *times in rows:
        for name, time in zip(names, times, strict=True):
            assert figures.duration(measured[f"training step, {case}", name]) == time

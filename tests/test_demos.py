"""The demos, run as a newcomer runs them: what they print, what they return, and what they do with bad arguments."""

import importlib.util
import io
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import redirect_stdout
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid.nn import MLP
from microgrid.testing import Expression
from microgrid.training import Result
from tests.profiles import examples

DEMOS = Path(__file__).parent.parent / "demos"
UNICODE, ASCII = " ░▒▓█", " .:*#"
TARGETS = {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 0}


def load(name: str) -> ModuleType:
    """Return the demo of that name as a module, without running it."""
    spec = importlib.util.spec_from_file_location(f"demo_{name}", DEMOS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


xor = load("xor")


class Screen(io.TextIOWrapper):
    """A standard output of a given encoding, which may be a terminal."""

    def __init__(self, encoding: str = "utf-8", tty: bool = False) -> None:
        self.written = io.BytesIO()
        self.tty = tty
        super().__init__(self.written, encoding=encoding, newline="\n")

    def isatty(self) -> bool:
        return self.tty

    def text(self) -> str:
        """Return what was written."""
        self.flush()
        return self.written.getvalue().decode(self.encoding)


@pytest.fixture(autouse=True)
def _usual_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test depend on the terminal it is run in."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


def run(*arguments: str, encoding: str = "utf-8", tty: bool = False) -> tuple[int, str]:
    """Return the exit status of the demo and what it writes to such a standard output."""
    screen = Screen(encoding, tty)
    with redirect_stdout(screen):
        status = xor.main(list(arguments))
    return status, screen.text()


def without_colours(text: str) -> str:
    """Return `text` without escape sequences."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def losses(text: str) -> list[float]:
    """Return the losses printed, in order."""
    return [float(loss) for loss in re.findall(r"^epoch +\d+ +loss (\S+) ", text, re.MULTILINE)]


def picture(text: str) -> list[str]:
    """Return the lines of the picture, without its frame."""
    return re.findall(r"^  \|(.*)\|$", text, re.MULTILINE)


def table(text: str) -> dict[tuple[int, int], tuple[int, float, str]]:
    """Return the truth table: inputs to target, prediction and verdict."""
    rows = re.findall(r"^ +([01]) +([01]) +([01]) +(\S+)  (right|wrong)$", text, re.MULTILINE)
    return {(int(a), int(b)): (int(target), float(p), verdict) for a, b, target, p, verdict in rows}


def check_learned(status: int, text: str, shades: str = UNICODE) -> None:
    """Fail unless `text` shows a network that has learned XOR, in numbers and in the picture."""
    assert status == 0
    assert text.endswith("\n4 of 4 right\n")
    assert len(losses(text)) >= 5
    assert losses(text)[-1] < min(0.02, losses(text)[0] / 10)
    assert re.findall("accuracy .*%", text)[-1] == "accuracy 100%"
    assert {row: (target, round(p), verdict) for row, (target, p, verdict) in table(text).items()} == {
        row: (target, target, "right") for row, target in TARGETS.items()
    }
    check_picture(picture(text), shades)


def check_picture(lines: list[str], shades: str) -> None:
    """Fail unless the four rows are marked at their places, each well within its region."""
    columns = len(lines[0])
    assert columns % 4 == 1
    assert [len(line) for line in lines] == [columns] * 13
    places = {(a, b): (9 - 6 * b, (columns - 1) // 4 * (1 + 2 * a)) for a, b in TARGETS}
    marks = {
        (line, column): cell for line, text in enumerate(lines) for column, cell in enumerate(text) if cell in "01"
    }
    assert marks == {place: str(TARGETS[row]) for row, place in places.items()}
    assert set("".join(lines)) <= {*shades, "0", "1"}
    for row, (line, column) in places.items():
        neighbours = lines[line - 1][column] + lines[line + 1][column]
        assert neighbours == 2 * (shades[-1] if TARGETS[row] else shades[0])


@pytest.mark.parametrize("seed", [0, 1, 7, 42, -3, 10**18])
def test_xor_learns(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    status = xor.main(["--seed", str(seed)])
    output = capsys.readouterr()
    check_learned(status, output.out)
    assert f"seed {seed}\n" in output.out
    assert output.err == ""


@examples(15)
@given(st.integers())
def test_xor_learns_from_any_seed(seed: int) -> None:
    check_learned(*run(f"--seed={seed}"))


def test_xor_has_a_fixed_seed_unless_given() -> None:
    assert run() == run()
    assert run()[1] == run("--seed", "2")[1] != run("--seed", "3")[1]


def program(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a demo as a program of its own."""
    # The script's own folder comes first on the path of a script: the package must be named if it is not installed.
    paths = [str(DEMOS.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, str(DEMOS / name), *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=False)


def test_xor_is_a_program() -> None:
    done = program("xor.py", "--seed", "7")
    assert done.stderr == ""
    check_learned(done.returncode, done.stdout)
    assert "\x1b" not in done.stdout


def test_the_guide_to_property_tests_shows_what_it_says() -> None:
    done = program("property_tests.py")
    assert (done.returncode, done.stderr) == (0, "")
    parts = done.stdout.split("\n\n")
    assert [part[:2] for part in parts] == ["1.", "2.", "3.", "4.", "5.", "6."]
    function, rule, law, wrong_rule, wrong_function, chance = parts
    assert function.endswith("and at places that Hypothesis chose, away from the kink at zero")
    assert rule.endswith("\n   gaussian is right") and law.endswith("with gaussian among the operations")
    assert re.search(r"^rule 'wrong', reverse by x at x=1\.0: the engine gives 0\.7357\d*, ", wrong_rule, re.MULTILINE)
    assert re.search(r"^2 of 2 derivatives are wrong:$", wrong_function, re.MULTILINE)
    assert re.search(
        r"^the first wrong operation is wrong\(0\.75\): its derivative by x ", wrong_function, re.MULTILINE
    )
    found = eval(chance.partition("\n")[2], {"Expression": Expression})
    assert found.source == "def expression(x):\n    return wrong(x)\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_xor_falls_back_to_ascii(encoding: str) -> None:
    status, text = run(encoding=encoding)
    assert text.isascii()
    check_learned(status, text, ASCII)


def test_xor_shades_where_the_code_page_can() -> None:
    check_learned(*run(encoding="cp437"))


def test_xor_writes_to_a_stream_without_an_encoding() -> None:
    with redirect_stdout(io.StringIO()) as stream:
        status = xor.main([])
    check_learned(status, stream.getvalue())


def test_xor_colours_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    status, text = run(tty=True)
    colours = set(re.findall(r"\x1b\[1;97;48;5;(\d+)m", text))
    assert len(colours) == 5
    check_coloured_like(text, run(tty=False)[1])
    assert status == 0
    monkeypatch.setenv("NO_COLOR", "")  # no-color.org: only counts when not empty
    assert run(tty=True)[1] == text


def check_coloured_like(text: str, plain: str) -> None:
    """Fail unless the picture in `text` has one colour where `plain` has one shade, and the same marks."""
    cells = re.findall(r"\x1b\[1;97;48;5;(\d+)m(.)\x1b\[0m", "".join(picture(text)))
    shades = "".join(picture(plain))
    assert len(cells) == len(shades)
    assert [mark.strip() for _, mark in cells] == [shade if shade in "01" else "" for shade in shades]
    assert len({(colour, shade) for (colour, _), shade in zip(cells, shades, strict=True) if shade not in "01"}) == 5
    assert "\x1b" not in without_colours(text)


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_xor_is_plain_where_asked(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)
    assert run(tty=True) == run(tty=False)


def test_xor_fits_a_usual_terminal() -> None:
    for arguments in ((), ("--epochs", "1234", "--seed", "-123")):
        assert max(map(len, run(*arguments)[1].splitlines())) <= 80


@pytest.mark.parametrize(
    ("columns", "width"), [(200, 33), (37, 33), (36, 29), (20, 13), (9, 5), (8, 5), (1, 5)], ids=str
)
def test_xor_fits_narrow_terminals(columns: int, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    status, text = run()
    assert status == 0
    assert text.endswith("\n4 of 4 right\n")
    lines = picture(text)
    assert {len(line) for line in lines} == {width}
    assert sum(line.count("0") for line in lines) == sum(line.count("1") for line in lines) == 2
    epochs = [line for line in text.splitlines() if line.startswith("epoch")]
    assert [line.count("accuracy") for line in epochs] == [1] * 11  # a bar may be cut, numbers are not
    assert max(len(line.rstrip("█")) for line in epochs) <= 39
    assert max(map(len, epochs)) <= max(columns, 39)
    assert columns < 9 or width + 4 <= columns
    if columns >= 37:
        check_learned(status, text)


@pytest.mark.parametrize(("epochs", "shown"), [(1, 1), (2, 2), (7, 7), (19, 11), (200, 11), (203, 11)])
def test_xor_shows_a_handful_of_epochs(epochs: int, shown: int) -> None:
    _, text = run("--epochs", str(epochs))
    numbers = [int(number) for number in re.findall(r"^epoch +(\d+) ", text, re.MULTILINE)]
    assert numbers == sorted({1, epochs, *numbers})
    assert len(numbers) == shown


def test_xor_says_that_it_has_not_learned() -> None:
    status, text = run("--epochs", "1")
    verdicts = [verdict for _, _, verdict in table(text).values()]
    assert status == 1
    assert 0 < verdicts.count("right") < 4
    for target, prediction, verdict in table(text).values():
        assert verdict == ("right" if round(prediction) == target else "wrong")
    assert text.splitlines()[-1] == f"{verdicts.count('right')} of 4 right: try more --epochs, or another --seed"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "argument --epochs: expected at least 1, got 0"),
        (["--epochs=-5"], "argument --epochs: expected at least 1, got -5"),
        (["--epochs", "2.5"], "argument --epochs: invalid int value: '2.5'"),
        (["--epochs", "many"], "argument --epochs: invalid int value: 'many'"),
        (["--epochs"], "argument --epochs: expected one argument"),
        (["--seed", "lucky"], "argument --seed: invalid int value: 'lucky'"),
        (["--speed", "7"], "unrecognized arguments: --speed 7"),
        (["7"], "unrecognized arguments: 7"),
    ],
)
def test_xor_refuses(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        xor.main(arguments)
    output = capsys.readouterr()
    assert exit_.value.code == 2
    assert output.out == ""
    assert message in without_colours(output.err)


def test_xor_helps(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        xor.main(["--help"])
    assert exit_.value.code == 0
    shown = without_colours(capsys.readouterr().out)
    assert "--seed" in shown
    assert "--epochs" in shown


def interrupt(*arguments: object) -> None:
    """Do as Ctrl-C does."""
    raise KeyboardInterrupt


def interrupt_at_step(number: int, step: Callable[[object], None]) -> Callable[[object], None]:
    """Return an optimiser's `step` that Ctrl-C meets at the call of that number."""
    calls: list[object] = []

    def interrupted(optimizer: object) -> None:
        calls.append(optimizer)
        if len(calls) == number:
            interrupt()
        step(optimizer)

    return interrupted


@pytest.mark.parametrize("number", [1, 58])
def test_xor_says_how_far_it_came_when_interrupted(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(xor.SGD, "step", interrupt_at_step(number, xor.SGD.step))
    assert xor.main([]) == 130
    output = capsys.readouterr()
    assert output.err == f"\ninterrupted after {number - 1} of 200 epochs\n"
    assert "right" not in output.out


def test_xor_may_be_interrupted_while_drawing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(xor, "picture", interrupt)
    assert xor.main(["--epochs", "3"]) == 130
    assert capsys.readouterr().err == "\ninterrupted after 3 of 3 epochs\n"


def test_xor_shows_what_the_network_says_right_or_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    net = MLP(2, [1], rng=0)
    for parameter, number in zip(net.parameters(), [40.0, 0.0, -20.0], strict=True):
        parameter.data = number  # says "a", whatever b is
    assert xor.demonstrate(net) == 2
    text = capsys.readouterr().out
    assert table(text) == {
        (a, b): (target, a, "right" if a == target else "wrong") for (a, b), target in TARGETS.items()
    }
    assert {re.sub("[01]", "?", line) for line in picture(text)} == {
        f"{' ' * 16}▒{'█' * 16}",
        f"{' ' * 8}?{' ' * 7}▒{'█' * 7}?{'█' * 8}",
    }


# The demos of transforms


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Return a function that runs a demo and returns its exit status and what it prints."""
    monkeypatch.syspath_prepend(str(DEMOS))  # as Python does for a script: one demo may use another

    def run_demo(name: str, *arguments: str) -> tuple[int, str]:
        status = load(name).main(list(arguments))
        output = capsys.readouterr()
        assert output.err == "" and output.out.isascii()
        return status, output.out

    return run_demo


@pytest.mark.parametrize("start", [(), ("0.5", "-0.25"), ("-2", "0.5")])
def test_newton_doubles_the_right_digits(start: tuple[str, ...], show: Callable[..., tuple[int, str]]) -> None:
    status, text = show("newton", *start)
    errors = [float(error) for error in re.findall(r"(\S+)$", text, re.MULTILINE)[1:-1]]
    assert status == 0 and errors[-1] < 1e-15 and len(errors) <= 12
    late = [(one, other) for one, other in pairwise(errors) if 1e-7 < one < 0.1]
    assert len(late) >= 2 and all(other < 3 * one**2 for one, other in late)
    assert text.endswith("\nthe minimum is at -0.346573590, 0.000000000\n")


def test_newton_solves_linear_equations_with_pivots() -> None:
    solution = load("newton").solve([[0.0, 2.0, 1.0], [1.0, 1.0, 0.0], [4.0, 0.0, 0.0]], [7.0, 3.0, 4.0])
    assert solution == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("seed", [1, 2, 77])
def test_curve_fit_finds_the_truth(seed: int, show: Callable[..., tuple[int, str]]) -> None:
    status, text = show("curve_fit", "--seed", str(seed))
    rows = [[float(x) for x in line.split()] for line in text.splitlines() if re.match(r" +\d+  ", line)]
    sums = [row[1] for row in rows]
    assert status == 0 and sums == sorted(sums, reverse=True) and len(sums) < 30
    assert sums[-1] / 57 == pytest.approx(0.05**2, rel=0.5), "61 measurements less 4 parameters, of that noise"
    assert sums[-2] - sums[-1] <= 1e-8 * sums[-1]
    truth = [float(x) for x in re.findall(r"^truth +(.*)$", text, re.MULTILINE)[0].split()]
    assert rows[-1][3:] == pytest.approx(truth, abs=0.1)
    assert text.count("*") == 21


@pytest.mark.parametrize("eccentricity", [0.0, 0.5])
def test_hamilton_keeps_the_energy(eccentricity: float, show: Callable[..., tuple[int, str]]) -> None:
    status, text = show("hamilton", "--eccentricity", str(eccentricity), "--orbits", "1")
    (leapfrog, drift), (euler, gain) = re.findall(r"^ *\w+ +(-\d\S+)  (\S+)$", text, re.MULTILINE)
    assert status == 0 and leapfrog == euler == "-0.500000"
    assert abs(float(drift)) < 1e-6 and float(gain) > 0.02
    drawn = [line for line in text.splitlines()[3:] if line]
    assert sum(line.count("o") for line in drawn) == 1
    middle = next(line for line in drawn if "o" in line)
    assert middle.index("o") == 30
    assert middle.index(".") == pytest.approx(30 - 15 * (1 + eccentricity), abs=0.51)
    assert middle.rindex(".") == pytest.approx(30 + 15 * (1 - eccentricity), abs=0.51)


# The demo of many runs

CONVERGE = DEMOS / "how_often_does_xor_converge.py"


def test_convergence_is_counted_in_processes() -> None:
    text = subprocess.run([sys.executable, CONVERGE, "--seeds", "3"], capture_output=True, text=True, check=True).stdout
    rows = re.findall(r"^2-(\d)-1 +(\w+) +([\d.]+)% \(([\d.]+)% to ([\d.]+)%\) +([\d.]+)% \(", text, re.MULTILINE)
    assert [row[:2] for row in rows] == [(n, name) for n in "2348" for name in ("tanh", "sigmoid", "relu")]
    assert all(float(row[3]) <= float(row[2]) <= float(row[4]) for row in rows)
    demo = load("how_often_does_xor_converge")
    expected = sum(demo.learns(demo.Kind(2, "relu", "SGD"), seed) for seed in range(3)) / 3
    assert float(rows[2][2]) == pytest.approx(100 * expected, abs=0.06)
    two, eight = (float(share) for share in re.findall(r"hidden units together: ([\d.]+)%", text))
    assert two < eight and text.endswith("a way out of a flat valley\n")


def test_convergence_reports_what_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    """After Ctrl-C, say: some kinds were counted, others were not tried."""
    demo = load("how_often_does_xor_converge")
    done, cancelled = (demo.Kind(hidden, "tanh", "SGD") for hidden in (4, 8))
    results = [
        Result((done, range(50)), 49, None, 0.1),
        Result((done, range(50, 60)), 10, None, 0.1),
        Result((cancelled, range(50)), None, CancelledError(), 0.0),
    ]
    demo.report(results)
    text = capsys.readouterr().out
    lines = [line.split() for line in text.splitlines()]
    assert "2-4-1 tanh 98.3% (91.1% to 99.7%) not tried".split() in lines
    assert "2-8-1 tanh not tried not tried".split() in lines
    with pytest.raises(MemoryError):
        demo.report([Result((done, range(2)), None, MemoryError(), 0.0)])


@pytest.mark.parametrize(
    ("successes", "runs", "low", "high"), [(0, 10, 0.0, 0.2775), (9, 10, 0.5958, 0.9821), (500, 1000, 0.4691, 0.5309)]
)
def test_wilson_intervals(successes: int, runs: int, low: float, high: float) -> None:
    """Against the score test that they invert: at a bound, the deviation is 1.96 times what that chance spreads."""
    wilson = load("how_often_does_xor_converge").wilson
    bounds = wilson(successes, runs)
    assert bounds == pytest.approx((low, high), abs=5e-5)
    for bound in bounds:
        deviation = abs(successes / runs - bound)
        assert deviation == pytest.approx(1.959964 * math.sqrt(bound * (1 - bound) / runs), rel=1e-6, abs=1e-12)
    assert wilson(runs - successes, runs) == pytest.approx([1 - bound for bound in reversed(bounds)])


@pytest.mark.dev
def test_convergence_is_counted_on_a_dask_cluster(tmp_path: Path) -> None:
    script = tmp_path / "cluster.py"
    script.write_text(
        "import subprocess, sys\n"
        "from distributed import LocalCluster\n"
        "if __name__ == '__main__':\n"
        "    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=':0') as cluster:\n"
        "        subprocess.run([*sys.argv[1:], '--dask', cluster.scheduler_address], check=True)\n",
        encoding="utf-8",
    )
    command = [sys.executable, str(CONVERGE), "--seeds", "2"]
    alone = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    shared = subprocess.run(
        [sys.executable, str(script), *command], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert shared.stdout == alone.stdout


# What they refuse


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("newton", ["1.0"], "expected two numbers, got 1"),
        ("curve_fit", ["--seed", "lucky"], "argument --seed: invalid int value: 'lucky'"),
        ("hamilton", ["--eccentricity", "1"], "expected an eccentricity from 0 to 0.8, and at least 1 orbit"),
        ("how_often_does_xor_converge", ["--seeds", "0"], "argument --seeds: expected at least 1, got 0"),
        ("hamilton", ["--orbits", "0"], "expected an eccentricity from 0 to 0.8, and at least 1 orbit"),
    ],
)
def test_demos_refuse(
    name: str,
    arguments: list[str],
    message: str,
    show: Callable[..., tuple[int, str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as exit_:
        show(name, *arguments)
    assert exit_.value.code == 2
    assert message in without_colours(capsys.readouterr().err)

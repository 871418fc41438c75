"""What the demos share."""

import os
import sys

import pytest

import common


def test_arguments():
    options = common.parsed("What?\nMore.", ["--seed", "7"], seed=1, epochs=10)
    assert vars(options) == {"seed": 7, "epochs": 10}


def test_no_argument_that_a_demo_has_not(capsys):
    with pytest.raises(SystemExit):
        common.parsed("What?", ["--seed", "7"], epochs=10)
    assert "unrecognized arguments: --seed 7" in capsys.readouterr().err


def test_a_plot_needs_matplotlib(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(SystemExit) as exit_:
        common.parsed("What?", ["--plot", "figure.png"], plot=True)
    assert exit_.value.code == 2
    assert "matplotlib is not installed: python -m pip install matplotlib" in capsys.readouterr().err


@pytest.mark.parametrize(("result", "status"), [(None, 0), (3, 3), (KeyboardInterrupt, 130), (BrokenPipeError, 1)])
def test_how_a_program_ends(result, status, monkeypatch):
    def main():
        if isinstance(result, type):
            raise result
        return result

    closed = []
    with open(os.devnull, "w") as stream, monkeypatch.context() as patch:  # pytest itself needs dup2 afterwards
        patch.setattr(sys, "stdout", stream)
        patch.setattr(os, "dup2", lambda new, old: (os.close(new), closed.append(old)))
        with pytest.raises(SystemExit) as exit_:
            common.run(main)
    assert (exit_.value.code or 0) == status
    assert bool(closed) == (result is BrokenPipeError)

"""What the demos share: their arguments, figures, and how a program ends.

They import it by name: Python looks first in the folder of the script it runs.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn


def parsed(
    about: str, argv: Sequence[str] | None, *, seed: int | None = None, epochs: int | None = None, plot: bool = False
) -> argparse.Namespace:
    """Return what `argv` asks of a demo: --seed and --epochs, if it gives a default, and --plot, if it has one."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    if seed is not None:
        parser.add_argument("--seed", type=int, default=seed, help="of the first weights (default: %(default)s)")
    if epochs is not None:
        parser.add_argument("--epochs", type=int, default=epochs, help="of each training (default: %(default)s)")
    if plot:
        parser.add_argument("--plot", metavar="FILE", help="draw a figure too, in the format that the name ends with")
    options = parser.parse_args(argv)
    if epochs is not None and options.epochs < 1:
        parser.error(f"argument --epochs: expected at least 1, got {options.epochs}")
    if plot and options.plot:
        try:
            new_figure()
        except ImportError:
            parser.error("argument --plot: matplotlib is not installed: python -m pip install matplotlib")
    return options


def new_figure(width: float = 6, height: float = 4) -> Any:
    """Return an empty figure of matplotlib, which opens no window and leaves `pyplot` alone."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a demo as a program, and exit with what it returns."""
    try:
        status = main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)

"""How a long run shows that it goes on: by tqdm where that is installed, else by a line that rewrites itself."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

WIDTH = 78
TIMES = 100


class Line:
    """A line that rewrites itself, with the methods of tqdm that are used here.

    Args:
        total: how many rounds there are.
        desc: what is done.
        stream: where it is written.
    """

    def __init__(self, total: int, desc: str, stream: Any) -> None:
        self.total, self.desc, self.stream = total, desc, stream
        self.done, self.words = 0, ""

    def set_postfix_str(self, words: str, refresh: bool) -> None:
        """Say what stands after the count."""
        self.words = words

    def update(self, rounds: int) -> None:
        """Count rounds, and write the line."""
        self.done += rounds
        self.stream.write(f"\r{f'{self.desc} {self.done}/{self.total} {self.words}'[:WIDTH]:<{WIDTH}}")
        self.stream.flush()

    def close(self) -> None:
        """End the line."""
        self.stream.write("\n")
        self.stream.flush()


class Progress:
    """Shows how many rounds are done, a hundred times at most, and once more at the end; or nothing.

    Args:
        show: whether it is shown; None for: if a terminal or a notebook watches.
        total: the number of rounds.
        desc: what is done.
    """

    def __init__(self, show: bool | None, total: int, desc: str) -> None:
        self.bar: Any = bar_for(total, desc) if (is_watched(sys.stderr) if show is None else show) else None
        self.total, self.stride = total, max(1, total // TIMES)
        self.done = self.told = 0
        self.words: Callable[[], str] = str

    def untold(self) -> int:
        """Return how many rounds there are until something is shown, or to the end."""
        left = self.total - self.done
        return left if self.bar is None else min(left, self.stride - self.done % self.stride)

    def advance(self, words: Callable[[], str], rounds: int = 1) -> None:
        """Count rounds, at most as many as are untold, and show that now and then, followed by `words()`."""
        self.done += rounds
        self.words = words
        if self.bar is not None and self.done % self.stride == 0:
            self.tell()

    def tell(self) -> None:
        """Show what is done."""
        self.bar.set_postfix_str(self.words(), refresh=False)
        self.bar.update(self.done - self.told)
        self.told = self.done

    def close(self) -> None:
        """End it."""
        if self.bar is not None:
            if self.done > self.told:
                self.tell()
            self.bar.close()


def is_watched(stream: Any) -> bool:
    """Return whether somebody is likely to watch: `stream` is a terminal, or this is a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()  # in a notebook it belongs to a kernel
    return hasattr(shell, "kernel") or bool(getattr(stream, "isatty", lambda: False)())


def bar_for(total: int, desc: str) -> Any:
    """Return tqdm's bar for this place, or a line if tqdm is not installed."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return Line(total, desc, sys.stderr)
    return tqdm(total=total, desc=desc)

"""Progress bars for long runs: tqdm's if it is installed, else a line that rewrites itself."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

WIDTH = 78  # in columns
TIMES = 100  # the bar is updated so many times at most


class Line:
    """A line that rewrites itself, with those methods of tqdm that `Progress` calls.

    Args:
        total: the count of rounds.
        desc: what the rounds are, such as `"fit"`.
        stream: the stream to write to.
    """

    def __init__(self, total: int, desc: str, stream: Any) -> None:
        self.total, self.desc, self.stream = total, desc, stream
        self.done, self.words = 0, ""

    def set_postfix_str(self, words: str, refresh: bool) -> None:
        """Set the text after the count."""
        self.words = words

    def update(self, rounds: int) -> None:
        """Add to the rounds done, and write the line."""
        self.done += rounds
        self.stream.write(f"\r{f'{self.desc} {self.done}/{self.total} {self.words}'[:WIDTH]:<{WIDTH}}")
        self.stream.flush()

    def close(self) -> None:
        """End the line."""
        self.stream.write("\n")
        self.stream.flush()


class Progress:
    """Shows how many rounds are done, at most a hundred times and at the end; or nothing.

    Args:
        show: whether to show anything; None to show it in a terminal or a notebook.
        total: the count of rounds.
        desc: what the rounds are, such as `"fit"`.
    """

    def __init__(self, show: bool | None, total: int, desc: str) -> None:
        self.bar: Any = bar_for(total, desc) if (is_watched(sys.stderr) if show is None else show) else None
        self.total, self.stride = total, max(1, total // TIMES)
        self.done = self.shown = 0
        self.words: Callable[[], str] = str

    def rounds_until_shown(self) -> int:
        """Return the count of rounds until the bar is updated, or until the end."""
        left = self.total - self.done
        return left if self.bar is None else min(left, self.stride - self.done % self.stride)

    def advance(self, words: Callable[[], str], rounds: int = 1) -> None:
        """Add to the rounds done, at most `rounds_until_shown()`; when it is time, show them, followed by `words()`."""
        self.done += rounds
        self.words = words
        if self.bar is not None and self.done % self.stride == 0:
            self.show()

    def show(self) -> None:
        """Update the bar."""
        self.bar.set_postfix_str(self.words(), refresh=False)
        self.bar.update(self.done - self.shown)
        self.shown = self.done

    def close(self) -> None:
        """Show the last rounds, and close the bar."""
        if self.bar is not None:
            if self.done > self.shown:
                self.show()
            self.bar.close()


def is_watched(stream: Any) -> bool:
    """Return whether somebody is probably watching: `stream` is a terminal, or this is a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()  # only that of a notebook has a kernel
    return hasattr(shell, "kernel") or bool(getattr(stream, "isatty", lambda: False)())


def bar_for(total: int, desc: str) -> Any:
    """Return a tqdm bar for a terminal or a notebook, or a `Line` if tqdm is not installed."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return Line(total, desc, sys.stderr)
    return tqdm(total=total, desc=desc)

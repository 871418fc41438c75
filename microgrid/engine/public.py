"""What a package shows of itself: its public names, which say the path by which they are imported."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def publish(package: dict[str, Any]) -> Callable[[], list[str]]:
    """Let the names in `__all__` of a package, whose `globals()` are given, say that they are in it.

    Returns:
        the `__dir__` of the package: `dir()` and a prompt's completion show these names alone, not the files inside.
    """
    for name in package["__all__"]:
        if name in package:  # not yet where it is imported when it is first used
            package[name].__module__ = package["__name__"]
    return lambda: sorted(package["__all__"])

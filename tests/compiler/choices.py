"""The choices that a random program is made of.

Every choice is a small integer, the first alternative the simplest, so that a list of smaller choices, or a shorter
one, is a simpler program.
"""

import random
from collections.abc import Callable, Sequence

MOST_CHOICES = 2000  # of a program, which then ends soon


class Choices:
    """Choices, made by a random generator or given; what is missing is 0.

    Attributes:
        made: the choices so far.
    """

    def __init__(self, source: random.Random | Sequence[int]) -> None:
        self.made: list[int] = []
        if isinstance(source, random.Random):
            self._next: Callable[[int], int] = source.randrange
        else:
            given = iter(source)
            self._next = lambda count: min(next(given, 0), count - 1)

    def below(self, count: int) -> int:
        """Return one of `count` numbers from 0 on."""
        chosen = self._next(count) if len(self.made) < MOST_CHOICES else 0
        self.made.append(chosen)
        return chosen

    def one_of(self, items: Sequence[str]) -> str:
        """Return one of `items`."""
        return items[self.below(len(items))]

    def often(self, items: Sequence[str]) -> str:
        """Return one of `items`, the first ones more often."""
        return items[self.below(1 + self.below(len(items)))]

    def happens(self, parts: int) -> bool:
        """Return whether something happens that does so once in `parts` times."""
        return self.below(parts) == parts - 1

"""Do words with the same neighbours become alike? A continuous bag of words predicts each word from those around it.

Each word has a point in the plane. The points of the neighbours are averaged, in any order, and a linear layer says
which word stands between them. Nobody says which words are animals: it shows in where their points go.
"""

import random
from collections.abc import Sequence
from itertools import product

from common import new_figure, parsed, run
from microgrid import Value, math, no_grad
from microgrid.draw import sparkline
from microgrid.losses import cross_entropy
from microgrid.nn import Embedding, Layer, Module
from microgrid.optim import Adam
from microgrid.training import fit

KINDS = ("cat", "dog", "bird"), ("eats", "likes"), ("fish", "bread", "corn")
SENTENCES = [f"the {animal} {verb} some {food}".split() for animal, verb, food in product(*KINDS)]
WORDS = sorted({word for sentence in SENTENCES for word in sentence})
WINDOW = 2


class BagOfWords(Module):
    """Points of words, and a layer that guesses the word in the middle."""

    def __init__(self, rng: random.Random) -> None:
        self.points = Embedding(len(WORDS), 2, rng=rng)
        self.output = Layer(2, len(WORDS), nonlin=False, rng=rng)

    def __call__(self, neighbours: Sequence[int]) -> list[Value]:
        """Return a logit for each word, given the numbers of its neighbours."""
        points = [self.points(number) for number in neighbours]
        return self.output([math.mean(coordinates) for coordinates in zip(*points, strict=True)])

    @no_grad()
    def likely(self, *neighbours: str) -> dict[str, float]:
        """Return how likely each word is between these."""
        chances = math.softmax(self([WORDS.index(word) for word in neighbours]))
        return {word: chance.data for word, chance in zip(WORDS, chances, strict=True)}

    def point(self, word: str) -> list[float]:
        """Return the point of a word."""
        return [coordinate.data for coordinate in self.points(WORDS.index(word))]


def samples() -> tuple[list[list[int]], list[int]]:
    """Return the neighbours of each word of each sentence, up to two on each side, and the words, as numbers."""
    bags, targets = [], []
    for sentence in SENTENCES:
        numbers = [WORDS.index(word) for word in sentence]
        for place, number in enumerate(numbers):
            bags.append(numbers[max(place - WINDOW, 0) : place] + numbers[place + 1 : place + 1 + WINDOW])
            targets.append(number)
    return bags, targets


def trained(seed: int, epochs: int) -> tuple[BagOfWords, list[float]]:
    """Return what was learned, and the losses."""
    model = BagOfWords(random.Random(seed))
    optimizer = Adam(model.parameters(), lr=0.1)
    # An index chooses parameters, which generated code could not follow.
    return model, fit(model, samples(), loss=cross_entropy, optimizer=optimizer, epochs=epochs, compile=False).loss


def nearest(model: BagOfWords, word: str) -> str:
    """Return the word whose point is nearest."""
    others = [other for other in WORDS if other != word]
    return min(others, key=lambda other: math.dist(model.point(word), model.point(other)))


def chart(model: BagOfWords, width: int = 66, height: int = 16) -> list[str]:
    """Return the lines of a map with the words at their points; one that would cover another moves down."""
    points = {word: model.point(word) for word in WORDS}
    (left, bottom), (right, top) = (tuple(map(bound, *points.values())) for bound in (min, max))
    lines = [" " * width for _ in range(height + len(WORDS))]
    for word, (x, y) in points.items():
        column = round((x - left) / (right - left) * (width - len(word)))
        row = round((top - y) / (top - bottom) * (height - 1))
        while lines[row][max(column - 1, 0) : column + len(word) + 1].strip():
            row += 1
        lines[row] = lines[row][:column] + word + lines[row][column + len(word) :]
    return [line.rstrip() for line in lines[: max(number for number, line in enumerate(lines) if line.strip()) + 1]]


def draw(file: str, model: BagOfWords) -> None:
    """Draw the words at their points."""
    figure = new_figure()
    axes = figure.subplots()
    for word in WORDS:
        axes.scatter(*model.point(word))
        axes.annotate(word, model.point(word), textcoords="offset points", xytext=(4, 4))
    axes.set(title="words with the same neighbours lie together")
    figure.savefig(file)


def main(argv: Sequence[str] | None = None) -> int:
    """Train, show the map, and return 0 if every word lies beside one of its kind."""
    options = parsed(__doc__, argv, seed=0, epochs=80, plot=True)
    model, losses = trained(options.seed, options.epochs)
    least = (math.log(3) + math.log(2) + math.log(3)) / 5  # of five words, three are anyone's guess within their kind
    print(f"{len(SENTENCES)} sentences such as '{' '.join(SENTENCES[0])}'; {len(model.parameters())} parameters\n")
    print(f"loss  {sparkline(losses)}  {losses[-1]:.3f}, and no guess is better than {least:.3f}\n")
    print(*chart(model), sep="\n")
    guesses = model.likely("the", "eats", "some").items()
    print("\nthe ___ eats some:", *(f"{word} {chance:.0%}" for word, chance in guesses if chance > 0.01))
    if options.plot:
        draw(options.plot, model)
    beside = [nearest(model, word) in kind for kind in KINDS for word in kind]
    print(f"\n{sum(beside)} of {len(beside)} words lie beside one of their kind, and only neighbours told them.")
    return 0 if all(beside) else 1


if __name__ == "__main__":
    run(main)

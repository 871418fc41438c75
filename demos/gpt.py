"""What does a GPT learn from names? A character-level transformer in pure Python: every number is a `Value`.

One block of 16 dimensions and 4 heads, as in the public microgpt description: token and position embeddings, RMSNorm,
attention to what came before, a ReLU layer of 4 times the width, no biases. It reads words letter by letter and learns
to guess the next one; then it makes up words of its own. Each length of a word is compiled once.
"""

import argparse
import random
from math import log
from pathlib import Path
from statistics import fmean

from microgrid import Value, jit, math, no_grad
from microgrid.optim import Adam

WIDTH, HEADS, BLOCK = 16, 4, 16
SIZE = WIDTH // HEADS  # of a head
STDLIB = "abc argparse ast asyncio calendar collections datetime email http inspect json logging random typing unittest"
END = "."


def words_of_the_library() -> list[str]:
    """Return the words that the names in the standard library are made of."""
    names = {name for module in STDLIB.split() for name in vars(__import__(module))}
    words = {word.lower() for name in names for word in name.replace("_", " ").split()}
    return sorted(word for word in words if word.isalpha() and word.isascii() and 3 <= len(word) < BLOCK)


def matrix(rows: int, columns: int, rng: random.Random, deviation: float = 0.08) -> list[list[Value]]:
    """Return a matrix of parameters."""
    return [[Value(rng.gauss(0, deviation)) for _ in range(columns)] for _ in range(rows)]


def linear(x: list[Value], weights: list[list[Value]]) -> list[Value]:
    """Return the products of `x` and each row of `weights`."""
    return [math.dot(row, x) for row in weights]


def normed(x: list[Value]) -> list[Value]:
    """Return `x` divided by its root mean square."""
    scale = (math.dot(x, x) / len(x) + 1e-5) ** -0.5
    return [scale * number for number in x]


class GPT:
    """The transformer.

    Args:
        letters: what words are made of; the first one ends a word, and begins it.
        rng: where the first parameters are drawn from.
    """

    def __init__(self, letters: str, rng: random.Random) -> None:
        self.letters = letters
        self.tokens, self.positions = matrix(len(letters), WIDTH, rng), matrix(BLOCK, WIDTH, rng)
        self.query, self.key, self.value = (matrix(WIDTH, WIDTH, rng) for _ in range(3))
        self.mix = matrix(WIDTH, WIDTH, rng, 0.0)
        self.wide, self.narrow = matrix(4 * WIDTH, WIDTH, rng), matrix(WIDTH, 4 * WIDTH, rng, 0.0)
        self.head = matrix(len(letters), WIDTH, rng)

    def parameters(self) -> list[Value]:
        """Return all parameters."""
        matrices = [item for item in vars(self).values() if isinstance(item, list)]
        return [number for rows in matrices for row in rows for number in row]

    def logits(self, rows: list[list[Value]]) -> list[list[Value]]:
        """Return for each position how likely each letter comes next, given the embeddings of the letters so far."""
        keys, values, out = [], [], []
        for row, place in zip(rows, self.positions, strict=False):
            x = normed([letter + position for letter, position in zip(row, place, strict=True)])
            inner = normed(x)
            query = linear(inner, self.query)
            keys.append(linear(inner, self.key))
            values.append(linear(inner, self.value))
            seen = []
            for head in range(0, WIDTH, SIZE):
                part = slice(head, head + SIZE)
                attention = math.softmax([math.dot(query[part], key[part]) / SIZE**0.5 for key in keys])
                seen += [math.dot(attention, column) for column in zip(*(value[part] for value in values), strict=True)]
            x = [a + b for a, b in zip(x, linear(seen, self.mix), strict=True)]
            hidden = [math.relu(number) for number in linear(normed(x), self.wide)]
            x = [a + b for a, b in zip(x, linear(hidden, self.narrow), strict=True)]
            out.append(linear(x, self.head))
        return out

    def encoded(self, word: str) -> tuple[list[list[Value]], list[list[float]]]:
        """Return the embeddings of a word's letters, and what follows each, one-hot: data goes in as arguments."""
        numbers = [self.letters.index(letter) for letter in END + word + END]
        one_hot = [[float(place == number) for place in range(len(self.letters))] for number in numbers[1:]]
        return [self.tokens[number] for number in numbers[:-1]], one_hot

    def sample(self, rng: random.Random, temperature: float) -> str:
        """Return a word made up."""
        word = ""
        while len(word) < BLOCK - 1:
            rows, _ = self.encoded(word)
            logits = self.logits(rows)[-1]
            weights = math.softmax([logit.data / temperature for logit in logits])
            letter = rng.choices(self.letters, weights)[0]
            if letter == END:
                break
            word += letter
        return word


def train(model: GPT, words: list[str], steps: int, lr: float) -> list[float]:
    """Return the losses of so many steps of Adam, a word at each, while the learning rate falls to zero."""

    @jit
    def loss(rows: list[list[Value]], targets: list[list[float]]) -> Value:
        return math.mean([math.cross_entropy(*pair) for pair in zip(model.logits(rows), targets, strict=True)])

    optimizer = Adam(model.parameters(), lr=lambda step: lr * (1 - step / steps), betas=(0.85, 0.99))
    losses = []
    for step in range(steps):
        value = loss(*model.encoded(words[step % len(words)]))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.data)
        if (step + 1) % 100 == 0 or step + 1 == steps:
            print(f"step {step + 1:5} of {steps}   loss {fmean(losses[-100:]):.3f}", flush=True)
    return losses


def main(argv: list[str] | None = None) -> list[float]:
    """Train, say what was learned, and return the losses."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, help="a file with one word a line; else names of the standard library")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args(argv)
    rng = random.Random(options.seed)
    words = options.corpus.read_text().lower().split() if options.corpus else words_of_the_library()
    words = [word for word in words if len(word) < BLOCK]
    rng.shuffle(words)
    model = GPT(END + "".join(sorted({*"".join(words)} - {END})), rng)
    print(f"{len(words)} words of {len(model.letters) - 1} letters, {len(model.parameters())} parameters")
    losses = train(model, words, options.steps, options.lr)
    with no_grad():
        print("made up:", *(model.sample(rng, temperature=0.5) for _ in range(12)))
    blind, learned = log(len(model.letters)), fmean(losses[-100:])
    print(f"Guessing blindly among {len(model.letters)} letters costs {blind:.2f}; it has come to {learned:.2f}.")
    return losses


if __name__ == "__main__":
    main()

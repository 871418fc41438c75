"""A fuzzer: random programs, each run with functions compiled and as they are; differences are printed, shrunk.

    python -m tests.compiler.fuzz --count 50000            # all features, some in each program
    python -m tests.compiler.fuzz --only rows --seed 7     # one feature in every program, others sometimes
    python -m tests.compiler.fuzz --without nested         # none of a feature
    python -m tests.compiler.fuzz --show 7:123             # print the program with this number, of seed 7

A program that runs eagerly with the warning counts as right, but only few may.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import NamedTuple

from tests.compiler.choices import Choices
from tests.compiler.scripts import Script, runnable
from tests.compiler.twins import Outcome, compiled_program
from tests.compiler.vocabulary import FEATURES

MOST_EAGER = 0.05  # of the programs
FREQUENT = ("transforms", "transforms", "rows")  # features that are drawn more often than others, each once more
MOST_ATTEMPTS = 400  # to shrink one


class Program(NamedTuple):
    """A program, and what it gave."""

    choices: list[int]
    features: Sequence[str]
    script: Script
    outcome: Outcome

    @property
    def kinds(self) -> set[str]:
        """What differs."""
        return {name for _, name, _, _ in self.outcome.differences}


def made(choices: Choices, features: Sequence[str]) -> Program:
    """Return the program of `choices`, run."""
    script = Script(choices, features)
    return Program(choices.made, features, script, Outcome(compiled_program(script.text)))


def drawn(seed: int, number: int, only: Sequence[str] = (), without: Sequence[str] = ()) -> Program:
    """Return a random program: with `only`, and with up to three other features, but for those in `without`."""
    source = random.Random(f"{seed}:{number}")
    others = [feature for feature in FEATURES if feature not in (*only, *without)]
    if "state" in others and source.randrange(3):
        others.remove("state")  # what most often runs eagerly
    others += [feature for feature in FREQUENT if feature in others]
    features = [*only, *source.sample(others, source.randrange(0 if only else 1, 4 - min(len(only), 2)))]
    return made(Choices(source), list(dict.fromkeys(features)))


def simpler(choices: Sequence[int], features: Sequence[str]) -> Iterator[tuple[list[int], list[str]]]:
    """Yield simpler choices: of fewer features, without some in a row, with zeros for them, with a smaller one."""
    every, size = list(features), len(choices)
    for feature in every:
        yield list(choices), [other for other in every if other != feature]
    while size:
        for start in range(0, len(choices), size):
            yield [*choices[:start], *choices[start + size :]], every
            if any(choices[start : start + size]):
                yield [*choices[:start], *[0] * len(choices[start : start + size]), *choices[start + size :]], every
        size //= 2
    for place, choice in enumerate(choices):
        for smaller in {choice // 2, choice - 1} if choice > 1 else ():
            yield [*choices[:place], smaller, *choices[place + 1 :]], every


def shrunk(program: Program, kinds: set[str], attempts: int = MOST_ATTEMPTS) -> Program:
    """Return the simplest program found in which something of `kinds` differs, as in `program`."""
    best, tried = program, set()
    improved = True
    while improved:
        improved = False
        for choices, features in simpler(best.choices, best.features):
            if (tuple(choices), tuple(features)) in tried:
                continue
            if len(tried) == attempts:
                return best
            tried.add((tuple(choices), tuple(features)))
            found = made(Choices(choices), features)
            if is_simpler(found, best) and found.kinds & kinds:
                best, improved = found, True
                break
    return best


def is_simpler(program: Program, other: Program) -> bool:
    """Return whether a program is simpler than another."""
    ours, theirs = program.script.text, other.script.text
    return (len(ours), len(program.choices), sum(program.choices)) < (
        len(theirs),
        len(other.choices),
        sum(other.choices),
    )


def shown(label: str, program: Program) -> str:
    """Return a program that runs by itself, and what differs in it."""
    lines = [f"# {label}: {', '.join(program.script.features)}"]
    for index, name, eager, compiled in program.outcome.differences:
        lines += [f"# call {index + 1}: {name} differ", f"#     eager:    {eager}", f"#     compiled: {compiled}"]
    return "\n".join(lines) + "\n\n" + runnable(program.script.text)


def main() -> int:
    """Run as many programs as asked for; return 1 if one differs, or too many run eagerly."""
    parser = argparse.ArgumentParser(description="Random programs, compiled and eager.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--only", action="append", default=[], choices=FEATURES, metavar="FEATURE")
    parser.add_argument("--without", action="append", default=[], choices=FEATURES, metavar="FEATURE")
    parser.add_argument("--show", metavar="SEED:NUMBER", help="print one program")
    parser.add_argument("--most", type=int, default=10, help="how many differences to print")
    options = parser.parse_args()
    if options.show:
        seed, _, number = options.show.partition(":")
        print(shown(options.show, drawn(int(seed), int(number), options.only, options.without)))
        return 0
    return fuzz(options.seed, options.count, options.only, options.without, options.most)


def fuzz(seed: int, count: int, only: Sequence[str], without: Sequence[str], most: int) -> int:
    """Run `count` programs; return 1 if one differs, or too many run eagerly."""
    reasons: Counter[str] = Counter()
    different: Counter[str] = Counter()
    unbounded = eager = printed = 0
    started = perf_counter()
    for number in range(count):
        if number and number % 5000 == 0:
            print(f"{number} programs, {different.total()} differ", file=sys.stderr, flush=True)
        program = drawn(seed, number, only, without)
        unbounded += program.outcome.unbounded
        eager += bool(program.outcome.reasons)
        reasons.update({*program.outcome.reasons})
        if program.outcome.differences:
            kind = f"{'+'.join(sorted(program.kinds))} ({', '.join(program.script.features)})"
            different[kind] += 1
            if different[kind] == 1 and printed < most:
                printed += 1
                smallest = shrunk(program, program.kinds)
                print(shown(f"{seed}:{number}", smallest), flush=True)
    seconds = perf_counter() - started
    print(f"{count} programs in {seconds:.0f} s; {different.total()} differ, {unbounded} roundings without a bound")
    for kind, times in different.most_common():
        print(f"{times:8}  {kind}")
    print(f"{eager / count:.2%} ran eagerly, at most {MOST_EAGER:.0%} may:")
    for reason, times in reasons.most_common():
        print(f"{times / count:8.2%}  {reason}")
    return 1 if different or eager > MOST_EAGER * count else 0


if __name__ == "__main__":
    sys.exit(main())

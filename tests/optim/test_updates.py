"""Updates: what is written of an optimiser's rule, and when it is written anew."""

import pytest

from microgrid import Value, define_rule
from microgrid.compiler.arguments import Unfit
from microgrid.compiler.program.form import Guard, Program, Step
from microgrid.optim import SGD, Adam, AdamW, Optimizer
from microgrid.optim.updates import CompiledUpdate, Update, split
from microgrid.rules.table import RULES


def test_an_update_is_written_once_for_each_parameter():
    update = Update(SGD([Value(1.0)], momentum=0.9), 1, 2, 0.1)
    assert update.common() == ["if steps == 1:", "    return None"]
    assert update.common("missed = 1\nbreak") == ["if steps == 1:", "    missed = 1", "    break"]
    assert update.lines(7) == [
        "add_3_of7 = 0.9 * state0_of7 + gradient7",
        "parameter7, state0_of7 = parameter7 - lr * add_3_of7, add_3_of7",
    ]


def test_what_all_parameters_share_is_computed_once():
    update = Update(Adam([Value(1.0)]), 2, 2, 0.1)
    assert [line.partition(" = ")[0] for line in update.common()] == [
        "sqrt_9_of_all",
        "div_13_of_all",
        "mul_14_of_all",
    ]
    assert not any("steps" in line for line in update.own)


def test_whether_an_update_speaks_of_the_step():
    def counts(result):
        kind = type("Counted", (Optimizer,), {"update": lambda self, p, g, state, step, lr: result(p, g, step)})
        return Update(kind([Value(1.0)]), len(result(1.0, 1.0, 1)[1]), 1, 0.1).counts

    assert counts(lambda p, g, step: (p - g / step, ()))
    assert counts(lambda p, g, step: (p - g, ()) if step < 5 else (p, ()))
    assert counts(lambda p, g, step: (p - g, (step,)))
    assert counts(lambda p, g, step: (p * 0.5**step, ()))
    assert not counts(lambda p, g, step: (p - g, (p,)))


def test_an_update_decides_by_the_step_and_the_learning_rate():
    class Halving(Optimizer):
        def update(self, parameter, gradient, state, step, lr):
            if lr > 1:
                return parameter - gradient, ()
            return (parameter - lr * gradient, ()) if step < 3 else (parameter, ())

    compiled = CompiledUpdate(optimizer := Halving([Value(1.0)]))
    assert compiled.source == ""
    assert compiled([1.0], [0.5], [], 2.0) == [[0.5]] and "if not (lr > 1" in compiled.source
    assert compiled([1.0], [0.5], [], 0.5) == [[0.75]] and "if lr > 1" in compiled.source
    optimizer.steps = 2
    assert compiled([1.0], [0.5], [], 0.5) == [[1.0]]


def test_hyperparameters_are_noticed():
    compiled = CompiledUpdate(optimizer := SGD([Value(1.0)], momentum=0.5))
    assert compiled([1.0], [2.0], [[0.0]], 0.5) == [[0.0], [2.0]]
    optimizer.steps, source = 1, compiled.source
    assert compiled([1.0], [2.0], [[4.0]], 0.5) == [[-1.0], [4.0]] and compiled.source != source
    source = compiled.source
    assert compiled([1.0], [1.0], [[0.0]], 0.5) == [[0.5], [1.0]] and compiled.source is source
    optimizer.momentum = 0.25
    assert compiled([1.0], [2.0], [[4.0]], 0.5) == [[-0.5], [3.0]]


def test_an_update_that_cannot_be_compiled_is_tried_once():
    calls = []

    class Reading(Optimizer):
        def update(self, parameter, gradient, state, step, lr):
            calls.append(parameter)
            return parameter - lr * float(gradient), ()

    compiled = CompiledUpdate(optimizer := Reading([Value(1.0)]))
    for _ in range(3):
        with pytest.raises(Unfit):
            compiled([1.0], [0.5], [], 0.5)
    assert len(calls) == 1
    optimizer.setting = 1
    with pytest.raises(Unfit, match="float"):
        compiled([1.0], [0.5], [], 0.5)
    assert len(calls) == 2


def test_updates_that_are_refused():
    class Owner(Optimizer):
        own = Value(2.0)

        def update(self, parameter, gradient, state, step, lr):
            return parameter - self.own * gradient, ()

    with pytest.raises(Unfit, match="uses a Value that is not an argument of update"):
        Update(Owner([Value(1.0)]), 0, 1, 0.1)
    keeping = type("Keeping", (Owner,), {"update": lambda self, p, g, state, step, lr: (p, (g,))})
    with pytest.raises(Unfit, match="returns 1 numbers as the state of a parameter, not 0"):
        Update(keeping([Value(1.0)]), 0, 1, 0.1)
    with pytest.raises(Unfit, match="does not define update"):
        Update(Optimizer([Value(1.0)]), 0, 1, 0.1)


def test_an_update_in_parts():
    inputs = ("parameter@", "gradient@", "steps", "lr")
    steps = (
        Step("neg_0", RULES["neg"], ("lr",)),
        Guard("{} < {}", ("neg_0", "steps"), True),
        Step("mul_1", RULES["mul"], ("neg_0", "gradient@")),
    )
    common, own = split(Program(inputs, steps, ("mul_1",)))
    assert common.steps == (steps[0]._replace(target="neg_0_of_all"), Guard("{} < {}", ("neg_0_of_all", "steps"), True))
    assert own.steps == (Step("mul_1_of@", RULES["mul"], ("neg_0_of_all", "gradient@")),)
    assert own.outputs == ("mul_1_of@",)
    with pytest.raises(Unfit, match="branches on a parameter, its gradient or its state"):
        split(Program(inputs, (Guard("{} < {}", ("gradient@", 0.0), True),), ("lr",)))


@pytest.mark.usefixtures("rules_restored")
def test_an_update_is_compiled_again_where_a_rule_was_defined_again():
    class Own(Optimizer):
        def update(self, parameter, gradient, state, step, lr):
            return parameter - lr * stretched(gradient), ()

    stretched = define_rule("stretched(x)", "2 * x", x="2")
    compiled = CompiledUpdate(Own([Value(1.0)]))
    assert compiled([1.0], [0.5], [], 0.5) == [[0.5]]
    define_rule("stretched(x)", "4 * x", x="4")
    assert compiled([1.0], [0.5], [], 0.5) == [[0.0]]


def test_an_infinite_gradient_shows_in_what_is_computed_or_is_looked_for():
    class Hiding(SGD):
        def update(self, parameter, gradient, state, step, lr):
            return super().update(parameter, 1 / (1 + gradient * gradient), state, step, lr)

    w = Value(1.0)
    shown = [SGD([w]), SGD([w], momentum=0.9, nesterov=True), SGD([w], weight_decay=0.1), Adam([w]), AdamW([w])]
    for optimizer in shown:
        assert not Update(optimizer, len(optimizer.states()[0]), 1, 0.1).hides
    assert Update(Hiding([w]), 0, 1, 0.1).hides

"""What all optimisers share: the parameters, the step count, saving and loading.

What distinguishes an optimiser is one pure function, `update`: numbers in, numbers out, written with operators and
`microgrid.math` alone, without branching on a parameter, a gradient or the state. So the same code runs on floats, on
fractions and on `Value`s that are being recorded.
"""

from __future__ import annotations

from microgrid.engine.anomaly import warn
from microgrid.engine.graph import assign, plain_grad
from microgrid.engine.messages import brief, check_data, counted
from microgrid.engine.numbers import MATH_ERRORS, all_of, is_number
from microgrid.engine.value import Value
from microgrid.nn.module import Frozen
from microgrid.nn.state import as_float
from microgrid.transforms import arrays

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    LearningRate = float | Callable[[int], float]
    State = tuple[Any, ...]


CHANGING = {"params", "lr", "steps", "_state", "_columns", "_compiled"}  # attributes that `update` does not read

LOST = "float(), .data or the standard math instead of microgrid.math lost the derivative on the way to the loss"


class Optimizer:
    """The base class of optimisers. A subclass defines `update`, and `initial_state` if it keeps state.

    Args:
        params: the parameters, leaf `Value`s; frozen ones are left alone.
        lr: the learning rate, or a function that returns it given the number of steps already taken (0, 1, 2, …). It
            must depend on that count alone: `fit` asks for the rates of several steps before it takes the first.
        hyperparameters: other numbers that `update` reads; each becomes an attribute.

    Attributes:
        params: the parameters, a list.
        lr: as given; it may be changed between steps, and so may the hyperparameters.
        steps: the number of steps taken.
        state: for each parameter, the state its last `update` returned.

    Raises:
        ValueError: if `params` is empty or has duplicates, or a hyperparameter is out of range.
        TypeError: if a parameter is not a leaf, or a hyperparameter not a plain number.

    >>> from microgrid import Value
    >>> from microgrid.math import sign
    >>> class SignDescent(Optimizer):
    ...     def update(self, parameter, gradient, state, step, lr):
    ...         return parameter - lr * sign(gradient), state
    >>> x = Value(3.0)
    >>> optimizer = SignDescent([x], lr=lambda step: 0.5**step)
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     (x * x).backward()
    ...     optimizer.step()
    >>> x.data
    1.25
    """

    def __init__(self, params: Iterable[Value], lr: LearningRate = 0.001, **hyperparameters: Any) -> None:
        name = type(self).__name__
        self.params = parameter_list(name, params)
        if not self.params:
            raise ValueError(f"{name} expects at least one parameter, got none")
        for parameter in self.params:
            if not isinstance(parameter, Value) or parameter.op is not None:
                raise TypeError(f"{name} expects leaf Values, got {type(parameter).__name__} {brief(parameter)}")
        if len({*self.params}) < len(self.params):
            raise ValueError(f"{name} expects each parameter once, got one of them twice")
        if not callable(lr):
            at_least_zero(name, lr=lr)
        self.lr = lr
        self.hyperparameters = [*hyperparameters]
        vars(self).update(hyperparameters)
        self.steps = 0
        self._compiled: Any = None  # the update of all parameters as one function
        self._state: list[State] = [self.initial_state() for _ in self.params]
        # The states as columns, as compiled steps use them: the first number of every state, then the second, ….
        # While this is not None, `_state` is out of date; reading `state` brings it up to date.
        self._columns: list[list[float]] | None = None

    def __repr__(self) -> str:
        """Return one line of text; hyperparameters that are zero are left out."""
        lr = getattr(self.lr, "__name__", self.lr)
        options = {"lr": lr, **{name: getattr(self, name) for name in self.hyperparameters if getattr(self, name)}}
        shown = ", ".join(f"{name}={option}" for name, option in options.items())
        return f"{type(self).__name__}({counted(len(self.params), 'parameter')}, {shown})"

    @property
    def state(self) -> list[State]:
        """For each parameter, the state its last `update` returned; the list may be modified."""
        if self._columns is not None:
            rows = [*zip(*self._columns, strict=True)] if self._columns else [()] * len(self.params)
            self._state, self._columns = rows, None
        return self._state

    @state.setter
    def state(self, states: list[State]) -> None:
        self._state, self._columns = states, None

    def initial_state(self) -> State:
        """Return the state of a parameter before its first update, a tuple of numbers; empty if there is no state."""
        return ()

    def update(self, parameter: Any, gradient: Any, state: State, step: Any, lr: Any) -> tuple[Any, State]:
        """Return a parameter after one step, and its new state: a pure function of the arguments and hyperparameters.

        Args:
            parameter: the value of the parameter.
            gradient: the derivative of the loss by it.
            state: the state that the previous update returned, or `initial_state()`.
            step: 1 at the first step, 2 at the second, …
            lr: the learning rate of this step.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define update")

    def learning_rate(self, steps: int | None = None) -> float:
        """Return the learning rate of the next step.

        Args:
            steps: the number of steps taken before; `self.steps` unless given.

        Raises:
            TypeError: if the learning rate is not a plain number.
            ValueError: if it is negative or nan.
        """
        steps = self.steps if steps is None else steps
        lr = self.lr(steps) if callable(self.lr) else self.lr
        if not (type(lr) is float and lr >= 0):
            at_least_zero(f"step {steps + 1} of {type(self).__name__}", lr=lr)
        return lr

    def states(self) -> list[State]:
        """Return the state of each parameter; the initial state where there is none yet."""
        initial = self.initial_state()
        return [state or initial for state in self.state]

    def settings(self) -> list[Any]:
        """Return everything that `update` may read besides its arguments."""
        return [setting for name, setting in vars(self).items() if name not in CHANGING]

    def step(self) -> None:
        """Update every parameter once; if anything raises, none has changed.

        If all numbers are floats, one generated function updates them all. It is compiled from `update` at the first
        step and returns the same bits.

        Raises:
            TypeError: if the data or the gradient of a parameter is not a number.

        Warns:
            UserWarning: if all gradients are zero at the first step and nothing else, such as weight decay, moves a
                parameter.
        """
        lr = self.learning_rate()
        if not self.steps and self._is_at_rest(lr):
            warn(
                f"all gradients are zero, so {self!r} moves nothing: usually backward() was not called before "
                f"step(), the loss belongs to another model, or {LOST}"
            )
        self.move(lr)

    def move(self, lr: float) -> None:
        """Take one step with the learning rate `lr`."""
        moved, step = self._moved_together(lr), self.steps + 1
        states: list[State] = []
        numbers: list[Any]
        columns: list[list[float]] | None
        if moved:
            numbers, *columns = moved
        else:
            for parameter in self.params:
                check_data(parameter)
            rows = [
                (parameter.data, state)
                if isinstance(parameter, Frozen)
                else self.update(parameter.data, gradient_of(type(self).__name__, parameter), state, step, lr)
                for parameter, state in zip(self.params, self.states(), strict=True)
            ]
            numbers, states, columns = [data for data, _ in rows], [state for _, state in rows], None
        self.commit(self.params, numbers, step, states, columns)

    def commit(
        self,
        params: Sequence[Value],
        numbers: Sequence[Any],
        steps: int,
        states: list[State],
        columns: list[list[float]] | None,
        *items: tuple[Any, Any, Any],
    ) -> None:
        """Store new parameters and states atomically, so that Ctrl-C finds either all of them or none.

        Args:
            params: the parameters that moved.
            numbers: their new values.
            steps: the step count after them.
            states: the new state of every parameter; empty if they come as `columns`.
            columns: the first number of every state, then the second, …; None if they come as `states`.
            items: further assignments to make along with these: see `graph.assign`.
        """
        own = vars(self)
        assign(params, numbers, (own, "steps", steps), (own, "_state", states), (own, "_columns", columns), *items)

    def _is_at_rest(self, lr: float) -> bool:
        """Return whether the first step would move nothing: all gradients are zero, without decay or a loaded state."""
        trained = [parameter for parameter in self.params if not isinstance(parameter, Frozen)]
        if not trained or any([plain_grad(parameter) != 0 for parameter in trained]):
            return False
        for parameter in trained:
            check_data(parameter)
        states, initial = self.states(), self.initial_state()
        pairs = zip(self.params, states, strict=True)
        moved = [self.update(parameter.data, 0.0, state, 1, lr)[0] != parameter.data for parameter, state in pairs]
        return not (any(moved) or decays(self) or any([state != initial for state in states]))

    def _moved_together(self, lr: float) -> list[list[float]] | None:
        """Return the parameters after one step, then the columns of their states; None if it cannot be compiled."""
        from microgrid.compiler.arguments import Unfit
        from microgrid.optim.updates import CompiledUpdate

        numbers = [parameter.data for parameter in self.params]
        gradients = [parameter.grad for parameter in self.params]
        if not (all_of(Value, self.params) and all_of(float, numbers) and all_of(float, gradients)):
            return None
        columns = self._columns
        if columns is None:
            states = self.states()
            if not is_table(states):
                return None
            columns = [*map(list, zip(*states, strict=True))]
        self._compiled = self._compiled or CompiledUpdate(self)
        try:
            moved: list[list[float]] = self._compiled(numbers, gradients, columns, lr)
        except (*MATH_ERRORS, Unfit):
            return None
        return moved

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_compiled": None}

    def zero_grad(self) -> None:
        """Set the gradients of all parameters to zero.

        Raises:
            TypeError: if the data of one is not a number.
        """
        for parameter in self.params:
            if type(parameter.data) is float:  # a call would take several times as long
                parameter.grad = 0.0
            else:
                parameter.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the parameters that is needed to resume training, as plain data that `json` can write.

        A function given as `lr` cannot be written: `lr` is None then.

        >>> from microgrid import Value
        >>> from microgrid.optim import SGD
        >>> SGD([Value(1.0)], lr=0.1, momentum=0.9).state_dict()["state"]
        [[0.0]]
        """
        size = len(self.initial_state())
        return {
            "optimizer": type(self).__name__,
            "steps": self.steps,
            "lr": None if callable(self.lr) else plain(self.lr),
            "hyperparameters": {name: plain(getattr(self, name)) for name in self.hyperparameters},
            "state": [plain(state[:size]) for state in self.states()],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned; if its `lr` is None, the current one is kept.

        Raises:
            TypeError, ValueError: if it does not fit this optimiser, which then stays unchanged.
        """
        loaded = self._with_hyperparameters(state_dict)
        name, steps, state = type(self).__name__, state_dict["steps"], state_dict["state"]
        if type(steps) is not int or steps < 0:
            raise ValueError(f"{name} expects steps to be a whole number of at least 0, got {brief(steps)}")
        if not isinstance(state, list) or len(state) != len(self.params):
            raise ValueError(f"{name} expects one state for each of {len(self.params)} parameters, got {brief(state)}")
        size = len(loaded.initial_state())
        for numbers in state:
            if not isinstance(numbers, list) or len(numbers) != size:
                raise ValueError(f"{name} expects the state of a parameter to be {size} numbers, got {brief(numbers)}")
        loaded.steps = steps
        loaded.state = [tuple(as_float(f"{name}: a state", number) for number in numbers) for numbers in state]
        vars(self).update(vars(loaded))

    def _with_hyperparameters(self, state_dict: dict[str, Any]) -> Optimizer:
        """Return a new optimiser of the same class and parameters, with the hyperparameters of `state_dict`."""
        name, present = type(self).__name__, self.state_dict()
        if not isinstance(state_dict, dict) or set(state_dict) != set(present):
            raise ValueError(f"{name} expects a dict with the keys {', '.join(present)}, got {brief(state_dict)}")
        if state_dict["optimizer"] != name:
            raise ValueError(f"{name} expects a state of {name}, got one of {brief(state_dict['optimizer'])}")
        options = state_dict["hyperparameters"]
        if not isinstance(options, dict) or set(options) != set(self.hyperparameters):
            raise ValueError(f"{name} expects the hyperparameters {self.hyperparameters}, got {brief(options)}")
        lr = state_dict["lr"]
        return type(self)(self.params, lr=self.lr if lr is None else lr, **options)


def decays(optimizer: Optimizer) -> bool:
    """Return whether `optimizer` has weight decay, which moves parameters even where the gradient is zero."""
    return bool(getattr(optimizer, "weight_decay", 0))


def gradient_of(owner: str, parameter: Value) -> Any:
    """Return the gradient of `parameter` as a number.

    Raises:
        TypeError: if it is something else, None for instance.
    """
    gradient = plain_grad(parameter)
    if not is_number(gradient):
        found = "None" if gradient is None else f"{type(gradient).__name__} {brief(gradient)}"
        advice = "zero_grad() sets it to 0.0, and backward() adds to it"
        raise TypeError(f"{owner}: the grad of {parameter.label or 'a leaf'} is {found}, expected a number: {advice}")
    return gradient


def parameter_list(owner: str, params: Any) -> list[Any]:
    """Return `params` as a list.

    Raises:
        TypeError: if they are not iterable (a model, say).
    """
    if not hasattr(params, "__iter__"):
        raise TypeError(f"{owner} expects the parameters, such as net.parameters(), got {brief(params)}")
    return arrays.entries(params) if arrays.is_array(params) else [*params]


def at_least_zero(owner: str, **numbers: Any) -> None:
    """Check that `numbers` are plain numbers of at least 0.

    Raises:
        TypeError, ValueError: otherwise.
    """
    got = " and ".join(f"{name}={brief(number)}" for name, number in numbers.items())
    if not all(map(is_number, numbers.values())):
        raise TypeError(f"{owner} expects plain numbers, got {got}")
    if not all(number >= 0 for number in numbers.values()):
        raise ValueError(f"{owner} expects {' and '.join(numbers)} of at least 0, got {got}")


def is_table(states: Sequence[State]) -> bool:
    """Return whether `states` form a table of plain numbers: rows of equal length."""
    return len({*map(len, states)}) == 1 and all([{*map(type, state)} <= {int, float} for state in states])


def plain(x: Any) -> Any:
    """Return the hyperparameter or state `x` in a form that `json` can write."""
    if isinstance(x, tuple | list):
        return [plain(element) for element in x]
    return float(x) if is_number(x) and not isinstance(x, int) else x

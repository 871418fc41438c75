"""`Module`, what has parameters: it finds them, freezes them, saves and loads them."""

from __future__ import annotations

from microgrid.engine.graph import assign
from microgrid.engine.messages import counted
from microgrid.engine.numbers import zero_like
from microgrid.engine.value import Value
from microgrid.nn import state
from microgrid.transforms import arrays

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    Number = Value | float


class Frozen(Value):
    """A leaf that is not trained: its gradient is always zero, and optimisers leave it as it is.

    `Module.freeze` turns parameters into such leaves in place, as `requires_grad_(False)` does in PyTorch: an optimiser
    made before knows, copies and pickles stay frozen, and derivatives still flow through the operations they take part
    in, to what is not frozen.
    """

    __slots__ = ()
    _is_frozen = True

    @property
    def grad(self) -> Any:
        """Zero; what is assigned or added is dropped."""
        return zero_like(self.data)

    @grad.setter
    def grad(self, gradient: Any) -> None:
        pass


class Module:
    """What has parameters: the leaf `Value`s among its attributes, those of the modules there, and in lists, tuples and
    dicts of either, and in arrays of NumPy.

    >>> from microgrid import Value
    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Value(2.0), Value(1.0)
    ...     def __call__(self, x):
    ...         return self.slope * x + self.offset
    >>> Line().state_dict()
    {'slope': 2.0, 'offset': 1.0}
    """

    _holders: tuple[str, ...] = ()  # the attributes that a class of the library's keeps its parameters in

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Yield each parameter once, with its path of attribute names, indices and keys, joined by dots."""
        return self._found(lambda module: vars(module).items())

    def _found(self, parts_of: Callable[[Module], Iterable[tuple[Any, Any]]]) -> Iterator[tuple[str, Value]]:
        """Yield each parameter once, with its path; `parts_of` tells what is in a module."""
        seen: set[int] = set()
        stack: list[tuple[str, Any]] = [("", self)]
        while stack:
            path, item = stack.pop()
            if id(item) in seen:  # shared, or a module that leads back to itself
                continue
            seen.add(id(item))
            parts: Any = ()
            if isinstance(item, Value):
                if item.op is None:
                    yield path, item
            elif isinstance(item, Module):
                parts = parts_of(item)
            elif isinstance(item, dict):
                parts = item.items()
            elif isinstance(item, list | tuple):
                parts = enumerate(item)
            elif hasattr(item, "tolist") and not arrays.is_plain(item):
                parts = enumerate(arrays.opened(item) or ())
            stack += reversed([(f"{path}.{name}" if path else str(name), part) for name, part in parts])

    def parameters(self) -> list[Value]:
        """Return the parameters, frozen ones too, in the order of `named_parameters`.

        As in micrograd, a class may list its parameters itself: modules that it is part of have those. In a subclass of
        `Neuron`, `Layer` or `MLP` that does, `super().parameters()` leaves out what the subclass adds.
        """

        def parts_of(module: Module) -> Iterable[tuple[Any, Any]]:
            if type(module).parameters is Module.parameters and "parameters" not in vars(module):
                return vars(module).items()
            if module is not self:
                return enumerate(module.parameters())
            return [(name, part) for name, part in vars(self).items() if name in self._holders or not self._holders]

        return [parameter for _, parameter in self._found(parts_of)]

    def zero_grad(self) -> None:
        """Set the gradients of all parameters to zero."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the modules and the number of their parameters."""
        from microgrid.nn.table import to_html

        return to_html(self)

    def freeze(self) -> None:
        """Stop the training of all parameters, here and in the modules within: see `Frozen`.

        Raises:
            TypeError: if one is of a class that cannot be frozen.

        >>> from microgrid.nn import MLP
        >>> net = MLP(2, [1, 1], activation="tanh")
        >>> net.layers[0].freeze()
        >>> net([1.0, 2.0]).backward()
        >>> [name for name, parameter in net.named_parameters() if parameter.grad]
        ['layers.1.neurons.0.w.0', 'layers.1.neurons.0.b']
        """
        self._become(Frozen)

    def unfreeze(self) -> None:
        """Let all parameters be trained again, here and in the modules within."""
        self._become(Value)

    def _become(self, kind: type[Value]) -> None:
        """Make every parameter a `kind`, in place."""
        parameters = dict(self.named_parameters())
        for name, parameter in parameters.items():
            if type(parameter) not in (Value, Frozen):
                raise TypeError(f"only a plain Value can be frozen, and {name} is a {type(parameter).__name__}")
        for parameter in parameters.values():
            if type(parameter) is not kind:
                parameter.__class__ = kind
                parameter.zero_grad()  # a frozen leaf that was unpickled has none

    def state_dict(self) -> dict[str, float]:
        """Return the numbers of the parameters by name: plain data, which `json` can write.

        Raises:
            ValueError: if two parameters have the same name: keys of a dict can look like paths.
        """
        numbers: dict[str, float] = {}
        for name, parameter in self.named_parameters():
            if name in numbers:
                raise ValueError(f"two parameters are called {name!r:.60}")
            numbers[name] = float(parameter.data)
        return numbers

    def load_state_dict(self, state_dict: Mapping[str, float]) -> None:
        """Give the parameters the numbers that `state_dict` returned; they stay the same leaves.

        Raises:
            TypeError, ValueError: with the reason, if they do not fit: the model stays as it was.
        """
        numbers = state.fitting(state_dict, [*self.state_dict()])
        assign(dict(self.named_parameters()).values(), numbers)

    def save(self, path: state.Path) -> None:
        """Write the parameters to a JSON file, atomically: a file that is there is replaced at once or not at all.

        A new file takes that one's permissions; at the end of a link, the file that it leads to is replaced. A pipe or
        a device is written to.

        Raises:
            ValueError: if a parameter is inf or nan.
            OSError: naming `path`, if it cannot be written.
        """
        state.write(path, self.state_dict())

    def load(self, path: state.Path) -> None:
        """Give the parameters the numbers that `save` wrote. Nothing in the file is ever executed.

        Raises:
            ValueError: with the reason, if the file does not fit: the model stays as it was.
        """
        try:
            self.load_state_dict(state.read(path))
        except ValueError as error:
            raise ValueError(f"{path} does not fit the model: {error}") from None


def check_size(owner: str, name: str, size: Any, least: int = 1) -> None:
    """Check that `size`, an argument of `owner` called `name`, is a whole number of at least `least`.

    Raises:
        TypeError, ValueError: if it is not.
    """
    if not hasattr(size, "__index__"):
        raise TypeError(f"{owner} expects {name} to be a whole number, got {type(size).__name__} {size!r:.60}")
    if size < least:
        raise ValueError(f"{owner} expects {name} of at least {least}, got {size!r}")


def checked_inputs(module: Module, nin: int, x: Sequence[Number]) -> tuple[Number, ...]:
    """Return `x` as a tuple of `nin` inputs.

    Raises:
        TypeError: if `x` is no sequence.
        ValueError: if it has another length.
    """
    try:
        inputs = tuple(x if type(x) is list else arrays.listed(called(module), x))
    except TypeError:
        given = f"{type(x).__name__} {x!r:.60}{arrays.advice(x)}"
        raise TypeError(f"{called(module)} expects a sequence of {counted(nin, 'input')}, got {given}") from None
    if len(inputs) != nin:
        raise ValueError(f"{called(module)} expects {counted(nin, 'input')}, got {len(inputs)}")
    return inputs


def called(module: Module) -> str:
    """Return what errors call `module`: its text if that is short, else its type."""
    text = repr(module)
    return text if len(text) <= 60 else type(module).__name__

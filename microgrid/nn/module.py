"""`Module`, the base class of networks: it finds its parameters, freezes them, saves and loads them."""

from __future__ import annotations

from microgrid.engine.graph import assign
from microgrid.engine.messages import brief, counted
from microgrid.engine.numbers import zero_like
from microgrid.engine.value import Value
from microgrid.nn import state
from microgrid.transforms import arrays
from microgrid.transforms.nests import AT, FIELD, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from microgrid.transforms.nests import Location

    Number = Value | float


class Frozen(Value):
    """A leaf that is not trained: its gradient is always zero, and optimisers leave it alone.

    `Module.freeze` turns parameters into such leaves in place, like `requires_grad_(False)` in PyTorch. Optimisers made
    before notice, copies and pickles stay frozen, and operations still propagate adjoints to their other operands.
    """

    __slots__ = ()
    _is_frozen = True

    @property
    def grad(self) -> Any:
        """Zero; anything assigned or added is dropped."""
        return zero_like(self.data)

    @grad.setter
    def grad(self, gradient: Any) -> None:
        pass


class Module:
    """The base class of everything with parameters: the leaf `Value`s among its attributes, and those of modules among
    these, also within lists, tuples, dicts and NumPy arrays.

    >>> from microgrid import Value
    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Value(2.0), Value(1.0)
    ...     def __call__(self, x):
    ...         return self.slope * x + self.offset
    >>> Line().state_dict()
    {'slope': 2.0, 'offset': 1.0}
    """

    _holders: tuple[str, ...] = ()  # for classes of the library, the attributes that contain parameters

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Yield each parameter once, with its path of attribute names, indices and keys, joined by dots."""
        for path, parameter in self._found(lambda module: vars(module).items()):
            yield dotted(path), parameter

    def _found(self, parts_of: Callable[[Module], Iterable[tuple[Any, Any]]]) -> Iterator[tuple[Location, Value]]:
        """Yield each parameter once, with its path from `"model"`; `parts_of` returns the contents of a module."""
        seen: set[int] = set()
        stack: list[tuple[Location, Any]] = [("model", self)]
        while stack:
            path, item = stack.pop()
            if id(item) in seen:  # shared, or a module that contains itself
                continue
            seen.add(id(item))
            form = AT
            parts: Any = ()
            if isinstance(item, Value):
                if item.op is None:
                    yield path, item
            elif isinstance(item, Module):
                form, parts = FIELD, parts_of(item)
            elif isinstance(item, dict):
                parts = item.items()
            elif isinstance(item, list | tuple):
                parts = enumerate(item)
            elif hasattr(item, "tolist") and not arrays.is_plain(item):
                parts = enumerate(arrays.opened(item) or ())
            stack += reversed([((path, (form, key)), part) for key, part in parts])

    def parameters(self) -> list[Value]:
        """Return the parameters, frozen ones too, in the order of `named_parameters`.

        As in micrograd, a class may override this method; modules that contain it use its list. In such a subclass of
        `Neuron`, `Layer` or `MLP`, `super().parameters()` leaves out attributes that the subclass adds.
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
        """Return what a notebook shows: a table of the modules and the counts of their parameters."""
        from microgrid.nn.table import to_html

        return to_html(self)

    def freeze(self) -> None:
        """Exclude all parameters, those of inner modules too, from training: see `Frozen`.

        Raises:
            TypeError: if a parameter is of another class than `Value`, which cannot be frozen.

        >>> from microgrid.nn import MLP
        >>> net = MLP(2, [1, 1], activation="tanh")
        >>> net.layers[0].freeze()
        >>> net([1.0, 2.0]).backward()
        >>> [name for name, parameter in net.named_parameters() if parameter.grad]
        ['layers.1.neurons.0.w.0', 'layers.1.neurons.0.b']
        """
        self._become(Frozen)

    def unfreeze(self) -> None:
        """Include all parameters in training again, those of inner modules too."""
        self._become(Value)

    def _become(self, kind: type[Value]) -> None:
        """Make every parameter a `kind`, in place."""
        parameters = list(written_parameters(self))
        for path, parameter in parameters:
            if type(parameter) not in (Value, Frozen):
                raise TypeError(f"only a plain Value can be frozen, but {path} is a {type(parameter).__name__}")
        for _, parameter in parameters:
            if type(parameter) is not kind:
                parameter.__class__ = kind
                parameter.zero_grad()  # an unpickled frozen leaf has no gradient yet

    def state_dict(self) -> dict[str, float]:
        """Return the values of the parameters by name, as plain data that `json` can write.

        Raises:
            ValueError: if two parameters have the same name, as `{"a.b": x, "a": {"b": y}}` would.
        """
        numbers: dict[str, float] = {}
        for name, parameter in self.named_parameters():
            if name in numbers:
                raise ValueError(f"two parameters are called {brief(name)}")
            numbers[name] = float(parameter.data)
        return numbers

    def load_state_dict(self, state_dict: Mapping[str, float]) -> None:
        """Set the parameters to the values that `state_dict` returned; they stay the same leaves.

        Raises:
            TypeError, ValueError: with the reason, if they do not fit; the model stays unchanged then.
        """
        numbers = state.fitting(state_dict, [*self.state_dict()])
        assign(dict(self.named_parameters()).values(), numbers)

    def save(self, path: state.Path) -> None:
        """Write the parameters to a JSON file, atomically: an existing file is replaced completely or not at all.

        The permissions of an existing file are kept, and links are followed. Pipes and devices are written to.

        Raises:
            ValueError: if a parameter is inf or nan.
            OSError: naming `path`, if it cannot be written.
        """
        state.write(path, self.state_dict())

    def load(self, path: state.Path) -> None:
        """Set the parameters to the values that `save` wrote. Nothing in the file is ever executed.

        Raises:
            ValueError: with the reason, if the file does not fit; the model stays unchanged then.
        """
        try:
            self.load_state_dict(state.read(path))
        except ValueError as error:
            raise ValueError(f"{path} does not fit the model: {error}") from None


def dotted(path: Location) -> str:
    """Return the name of a parameter: the keys of its path, joined by dots."""
    keys = []
    while not isinstance(path, str):
        path, (_, key) = path
        keys.append(f"{key}")
    return ".".join(reversed(keys))


def written_parameters(module: Module) -> Iterator[tuple[str, Value]]:
    """Yield each parameter once, with the Python expression that leads to it, for messages.

    >>> from microgrid.nn import Neuron
    >>> [path for path, _ in written_parameters(Neuron(2))]
    ['model.w[0]', 'model.w[1]', 'model.b']
    """
    for path, parameter in module._found(lambda module: vars(module).items()):
        yield written(path), parameter


def check_size(owner: str, name: str, size: Any, least: int = 1) -> None:
    """Check that `size`, an argument of `owner` called `name`, is a whole number of at least `least`.

    Raises:
        TypeError, ValueError: otherwise.
    """
    if not hasattr(size, "__index__"):
        raise TypeError(f"{owner} expects {name} to be a whole number, got {type(size).__name__} {brief(size)}")
    if size < least:
        raise ValueError(f"{owner} expects {name} of at least {least}, got {size!r}")


def checked_inputs(module: Module, nin: int, x: Sequence[Number]) -> tuple[Number, ...]:
    """Return `x` as a tuple of `nin` inputs.

    Raises:
        TypeError: if `x` is not a sequence.
        ValueError: if it has another length.
    """
    try:
        inputs = tuple(x if type(x) is list else arrays.listed(called(module), x))
    except TypeError:
        given = f"{type(x).__name__} {brief(x)}{arrays.advice(x)}"
        raise TypeError(f"{called(module)} expects a sequence of {counted(nin, 'input')}, got {given}") from None
    if len(inputs) != nin:
        raise ValueError(f"{called(module)} expects {counted(nin, 'input')}, got {len(inputs)}")
    return inputs


def called(module: Module) -> str:
    """Return the name of `module` in errors: its `repr` if that is short, else its type."""
    text = repr(module)
    return text if len(text) <= 60 else type(module).__name__

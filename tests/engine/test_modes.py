"""no_grad, gc_paused, and the observers beneath."""

import asyncio
import contextvars
import functools
import gc
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from microgrid import Value, gc_paused, math, no_grad
from microgrid.engine import modes
from microgrid.engine.modes import Mode, Recording, apart, tracing


def test_nothing_is_recorded_under_no_grad() -> None:
    x = Value(3.0)
    with no_grad():
        results = [x * x, x * 2.0, 2.0 * x, -x, x.tanh(), math.dot([x], [x], x), math.hypot(x, x)]
    assert all(result.op is None and result.parents == () for result in results)
    assert (x * x).parents == (x, x)
    assert not modes.observers


def test_a_trace_is_followed_unless_another_mode_is_within() -> None:
    trace = Mode(lambda node: None)
    trace.traces = True
    assert modes.following() is None
    with trace:
        assert modes.following() is trace
        with no_grad():
            assert modes.following() is None and modes.tracing() is trace
    with no_grad():
        assert modes.following() is None


def test_no_grad_ends_with_an_exception() -> None:
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert (Value(1.0) * 2.0).op is not None


def test_no_grad_nests_and_can_be_entered_again() -> None:
    once = no_grad()
    with once, once, no_grad():
        assert (Value(1.0) * 2.0).op is None
    with once:
        assert (Value(1.0) * 2.0).op is None
    assert (Value(1.0) * 2.0).op is not None


def test_no_grad_decorates_functions_and_coroutine_functions() -> None:
    @no_grad()
    def double(x: Value) -> Value:
        """Twice."""
        return x * 2.0

    @no_grad()
    async def later(x: Value) -> Value:
        await asyncio.sleep(0)
        return x * 2.0

    @no_grad
    def triple(x: Value) -> Value:
        return x * 3.0

    assert triple(Value(1.0)).op is None and triple.__name__ == "triple"
    assert double(Value(1.0)).op is None and double.__name__ == "double" and double.__doc__ == "Twice."
    assert asyncio.run(later(Value(1.0))).op is None
    assert (Value(1.0) * 2.0).op is not None


def test_a_decorated_function_is_given_its_arguments() -> None:
    @no_grad
    def scaled(x: Value, factor: float = 1.0) -> Value:
        return x * factor

    @no_grad
    async def later(x: Value, factor: float = 1.0) -> Value:
        return x * factor

    x = Value(2.0)
    assert scaled(x, factor=3.0).data == 6.0 and asyncio.run(later(x, factor=4.0)).data == 8.0
    assert scaled(x, 3.0).op is None and asyncio.run(later(x, 4.0)).op is None


def test_no_grad_decorates_what_has_no_code_of_its_own() -> None:
    half = no_grad(functools.partial(math.fma, 0.5))
    assert half(Value(4.0), 1.0).data == 3.0 and half(Value(4.0), 1.0).op is None


def test_no_grad_refuses_generators() -> None:
    with pytest.raises(TypeError, match=r"^no_grad cannot decorate a generator: .* yield it outside of that$"):

        @no_grad()
        def numbers() -> Iterator[int]:
            yield 1


def test_what_is_recommended_for_a_generator_leaves_its_consumer_recording() -> None:
    def squares(xs: list[Value]) -> Iterator[Value]:
        for x in xs:
            with no_grad():
                square = x * x
            yield square

    x = Value(3.0)
    for square in squares([x, x]):
        product = square * x
        assert square.op is None and product.op is not None


def test_backward_under_no_grad_says_that_nothing_was_recorded() -> None:
    x = Value(3.0)
    with no_grad():
        square = x * x
        for root in (square, x):
            with pytest.raises(RuntimeError, match=r"^backward\(\) under no_grad\(\): nothing was recorded that leads"):
                root.backward()
    assert (x.grad, square.grad) == (0.0, 0.0)


def test_backward_under_no_grad_of_what_was_recorded_before() -> None:
    x = Value(3.0)
    square = x * x
    with no_grad():
        square.backward()
    assert x.grad == 6.0


def test_backward_of_a_leaf_elsewhere() -> None:
    """Also where another mode is on, or one is on in another thread only."""
    x = Value(3.0)
    x.backward()
    with Mode(lambda node: None):
        x.backward()
    inside, done = threading.Event(), threading.Event()

    def silent() -> None:
        with no_grad():
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=silent)
    thread.start()
    inside.wait(10)
    x.backward()
    done.set()
    thread.join()
    assert x.grad == 3.0


def test_no_grad_is_local_to_its_thread() -> None:
    entered, checked = threading.Event(), threading.Event()

    def hold() -> None:
        with no_grad():
            entered.set()
            checked.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait()
    try:
        assert modes.observers, "the other thread is in its block"
        assert (Value(1.0) * 2.0).op is not None
    finally:
        checked.set()
        thread.join()


def test_no_grad_is_local_to_its_task() -> None:
    async def silent(gate: asyncio.Event) -> bool:
        with no_grad():
            await gate.wait()
            return (Value(1.0) * 2.0).op is None

    async def recording(gate: asyncio.Event) -> bool:
        recorded = (Value(1.0) * 2.0).op is not None
        gate.set()
        return recorded

    async def both() -> list[bool]:
        gate = asyncio.Event()
        return list(await asyncio.gather(silent(gate), recording(gate)))

    assert asyncio.run(both()) == [True, True]


def test_one_mode_serves_several_threads_at_once() -> None:
    shared, entered, left = no_grad(), threading.Event(), threading.Event()
    silent: list[bool] = []

    def other() -> None:
        with shared:
            entered.set()
            left.wait()
            silent.append((Value(1.0) * 2.0).op is None)

    thread = threading.Thread(target=other)
    with shared:
        thread.start()
        entered.wait()
    left.set()
    thread.join()
    assert silent == [True] and (Value(1.0) * 2.0).op is not None and not modes.observers


def test_generators_may_leave_out_of_turn() -> None:
    def silent() -> Iterator[bool]:
        with no_grad():
            yield (Value(1.0) * 2.0).op is None

    one, two = silent(), silent()
    assert next(one) and next(two)
    one.close()
    assert (Value(1.0) * 2.0).op is None
    two.close()
    assert (Value(1.0) * 2.0).op is not None
    with no_grad():  # nothing stays behind that this would wake
        pass
    assert modes._entered.get() == () and not modes.observers


def test_a_task_may_outlive_the_block_it_was_started_in() -> None:
    async def recorded(gate: asyncio.Event) -> list[bool]:
        before = (Value(1.0) * 2.0).op is not None
        await gate.wait()
        return [before, (Value(1.0) * 2.0).op is not None]

    async def outlive() -> list[bool]:
        gate = asyncio.Event()
        with no_grad():
            task = asyncio.create_task(recorded(gate))
            await asyncio.sleep(0)
        gate.set()
        with Mode(lambda node: None):
            return await task

    assert asyncio.run(outlive()) == [False, True]


def test_a_block_may_be_left_in_another_task() -> None:
    async def silent() -> AsyncIterator[bool]:
        with no_grad():
            yield (Value(1.0) * 2.0).op is None

    async def both() -> list[bool]:
        generator = silent()
        found = [await asyncio.create_task(anext(generator))]
        await asyncio.create_task(generator.aclose())
        return [*found, (Value(1.0) * 2.0).op is not None]

    assert asyncio.run(both()) == [True, True] and not modes.observers


def test_an_observer_sees_every_new_node() -> None:
    seen: list[Value] = []
    x = Value(1.0)
    with Mode(seen.append):
        made = [x * x, 1.0 / x, x.relu(), math.atan2(x, x), math.dot([x], [1.0], x)]
    _ = x * x
    assert all(one is other for one, other in zip(seen, made, strict=True))


def test_recording_lifts_no_grad_for_a_while() -> None:
    with no_grad():
        assert modes.is_silent()
        with Recording():
            assert (Value(1.0) * 2.0).op is not None and not modes.is_silent()
            with no_grad():
                assert (Value(1.0) * 2.0).op is None
        assert (Value(1.0) * 2.0).op is None
    assert not modes.is_silent() and not modes.guards and not modes.observers


def test_other_modes_stay_on_within_recording() -> None:
    seen: list[Value] = []
    with Mode(seen.append), Recording():
        node = Value(1.0) * 2.0
    assert len(seen) == 1 and seen[0] is node


def test_no_mode_reaches_what_is_apart_but_those_that_are_kept() -> None:
    seen: list[str] = []
    one, other = Mode(lambda node: seen.append("one")), Mode(lambda node: seen.append("other"))
    with one, other:
        with apart():
            _ = Value(1.0) * 2.0
        assert not seen and modes.active() == [one, other]
        with apart(lambda mode: mode is other):
            _ = Value(1.0) * 2.0
    assert seen == ["other"]


def test_a_context_names_the_variable_that_holds_the_modes() -> None:
    with Mode(None):
        assert "microgrid_modes" in [variable.name for variable in contextvars.copy_context()]


def test_a_trace_is_found_among_the_modes() -> None:
    class Trace(Mode):
        traces = True

    trace = Trace(lambda node: None)
    assert tracing() is None
    with Mode(lambda node: None), trace, Mode(None):
        assert tracing() is trace
    with Mode(lambda node: None):
        assert tracing() is None


def test_a_mode_sees_the_root_of_a_backward_pass() -> None:
    class Watch(Mode):
        def before_backward(self, root: Value) -> None:
            roots.append(root)

    roots: list[Value] = []
    with Mode(lambda node: None), Watch(lambda node: None):
        root = Value(1.0) * 2.0
        root.backward()
    assert len(roots) == 1 and roots[0] is root


def test_a_mode_left_within_recording_stays_left() -> None:
    def silent() -> Iterator[None]:
        with no_grad():
            yield

    generator = silent()
    next(generator)
    with Recording():
        generator.close()
    assert (Value(1.0) * 2.0).op is not None and modes._entered.get() == ()


def test_a_guard_may_object_to_floats() -> None:
    class Guard(Mode):
        def before_float(self, node: Value) -> None:
            raise TypeError(f"no float of {node.data}")

    with Guard(None), pytest.raises(TypeError, match=r"no float of 2\.0"):
        float(Value(2.0))
    with Mode(None):
        assert float(Value(2.0)) == 2.0
    assert float(Value(2.0)) == 2.0 and not modes.guards


@pytest.mark.parametrize("enabled", [True, False])
def test_gc_paused_restores_what_it_found(enabled: bool) -> None:
    found = gc.isenabled()
    try:
        gc.enable() if enabled else gc.disable()
        pause = gc_paused()
        with pause, pause:
            assert not gc.isenabled()
        with pytest.raises(KeyError), gc_paused():
            raise KeyError
        assert gc.isenabled() == enabled
    finally:
        gc.enable() if found else gc.disable()


def test_threads_that_share_no_leaf_do_not_disturb_each_other() -> None:
    results: dict[int, float] = {}

    def work(seed: int) -> None:
        x = Value(1.0 + seed)
        for _ in range(200):
            x.zero_grad()
            out = math.fsum([x * float(k) for k in range(20)]).tanh() + x**2 + math.dot([x], [x], x)
            out.backward()
        results[seed] = x.grad

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = dict(results)
    for seed in range(8):
        work(seed)
    assert results == expected and len(results) == 8


def test_no_grad_decorates_nothing_else() -> None:
    for decorate in (no_grad, no_grad()):
        with pytest.raises(TypeError, match=r"^no_grad decorates functions, got int 3$"):
            decorate(3)  # type: ignore[arg-type, type-var]


@pytest.mark.parametrize("name", ["disable", "enable"])
def test_an_interruption_leaves_the_garbage_collector_on(monkeypatch, name):
    """Ctrl-C comes as soon as a call is done."""
    function, found = getattr(gc, name), []

    def interrupted():
        function()
        raise KeyboardInterrupt

    monkeypatch.setattr(gc, name, interrupted)
    with pytest.raises(KeyboardInterrupt), gc_paused():
        found.append("inside")
    assert gc.isenabled() and found == ["inside"] * (name == "enable")


def test_where_nobody_asks_for_derivatives() -> None:
    assert not modes.is_unrecorded()
    with no_grad():
        assert modes.is_unrecorded()
        with modes.Recording(), modes.Recording():
            assert modes.is_unrecorded() and not modes.is_silent()
    with modes.Recording():
        assert not modes.is_unrecorded()
    with modes.NumbersAlone():
        assert modes.is_unrecorded() and not modes.is_silent()
    assert not modes.is_unrecorded() and not modes.guards


def test_a_pause_that_ends_while_another_begins_leaves_the_garbage_collector_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of another thread, which found it resting."""
    first, enabled = gc_paused(), gc.isenabled

    def then_the_first_ends() -> bool:
        found = enabled()
        monkeypatch.undo()
        first.__exit__()
        return found

    first.__enter__()
    monkeypatch.setattr(gc, "isenabled", then_the_first_ends)
    with gc_paused():
        pass
    assert gc.isenabled()


def test_a_mode_is_abandoned_wherever_it_was_interrupted() -> None:
    outside = modes._entered.get()
    for is_listed in (True, False):
        mode = no_grad()
        mode.__enter__()
        mode.__enter__()
        if not is_listed:
            modes.observers.pop()
        mode.abandon(outside)
        assert not modes.active() and not modes.observers and not mode._entries


def test_a_forked_process_forgets_what_other_threads_were_about() -> None:
    with no_grad() as own:
        other = modes.Entry(no_grad())
        other.thread = -1
        modes.observers.append(other)
        modes.guards.append(other)
        modes._pausing.add(-1)
        gc.disable()
        modes.forget_other_threads()
        assert [entry.mode for entry in modes.observers] == [own] and not modes.guards
        assert gc.isenabled() and not modes._pausing
    with gc_paused():
        modes.forget_other_threads()
        assert not gc.isenabled()

"""What the `op` of a node is."""

import math
import threading
from typing import Any

import pytest

from microgrid import Value
from microgrid.engine.operations import (
    BASE_FUNCTIONS,
    FUNCTIONS_OF_ROLE,
    IDENTITY,
    NUMBERS,
    ROLES,
    HandWritten,
    Operation,
    dependents,
    functions_for,
    make_links,
    operation,
    register,
    registering,
)
from microgrid.rules.table import RULES, Rule

EVERY_ROLE = """
pull exact total vjp vjp_total record record_total trace trace_total
jvp jvp_total jvp_record jvp_record_total jvp_trace jvp_trace_total
""".split()


def test_an_operation_is_made_once_for_a_pattern() -> None:
    assert operation("mul", (True, False)) is operation("mul", (True, False))
    assert operation("mul", (True, False)) is not operation("mul", (True, True))
    assert (Value(1.0) * 2.0).op is operation("mul", (True, False))


def test_a_node_of_an_operation_is_a_number() -> None:
    assert operation("mul", (True, True)).is_number is HandWritten("mine", print).is_number is True


def test_an_operation_knows_its_rule() -> None:
    op = operation("relu", (True,))
    assert (op.name, op.symbol, op.fan, repr(op)) == ("relu", "ReLU", 1, "relu")


@pytest.mark.parametrize("role", EVERY_ROLE)
def test_a_role_is_built_when_it_is_first_used(role: str) -> None:
    op = Operation(RULES["mul"], (True, False))
    function = getattr(op, role)
    assert function.__name__ == f"mul_{role}" and getattr(op, role) is function


def test_there_are_no_other_roles() -> None:
    assert sorted(ROLES) == sorted(EVERY_ROLE)
    with pytest.raises(AttributeError, match=r"^an operation has no attribute 'forward'$"):
        operation("mul", (True, False)).forward


@pytest.mark.parametrize(
    ("role", "shared"),
    [
        ("vjp", "exact"),
        ("jvp", "exact"),
        ("vjp_total", "total"),
        ("jvp_total", "total"),
        ("jvp_record", "record"),
        ("jvp_record_total", "record_total"),
        ("jvp_trace", "trace"),
        ("jvp_trace_total", "trace_total"),
    ],
)
def test_walks_in_both_directions_share_their_functions(role: str, shared: str) -> None:
    assert functions_for(role) is functions_for(shared)


def test_the_identity_has_one_parent() -> None:
    assert IDENTITY.mask == (True,) and IDENTITY.fan == 1 and IDENTITY is operation("identity", (True,))


def test_a_rule_that_does_not_exist_has_no_operation() -> None:
    with pytest.raises(LookupError, match="no rule is called 'nonsense': define it before you load"):
        operation("nonsense", (True,))


@pytest.mark.parametrize("role", ["pull", "exact", "total", "record", "record_total"])
def test_functions_of_a_role_are_made_once(role: str) -> None:
    assert functions_for(role) is functions_for(role) and callable(functions_for(role)["sigmoid"])


def test_roles_differ_in_their_literals_and_in_what_they_do_where_math_raises() -> None:
    assert type(functions_for("pull")["step"](2.0)) is float and type(functions_for("exact")["step"](2)) is int
    assert functions_for("total")["div"](1.0, 0.0) == math.inf
    with pytest.raises(ZeroDivisionError):
        functions_for("pull")["div"](1.0, 0.0)


def test_a_hand_written_operation_calls_its_function() -> None:
    calls: list[float] = []
    op = HandWritten("mine", calls.append)
    op.pull(Value(1.0), 2.0)
    op.exact(Value(1.0), 3.0)
    assert calls == [2.0, 3.0] and (op.name, op.symbol, repr(op), op.fan) == ("mine", "mine", "mine", 0)


@pytest.mark.parametrize("role", [*EVERY_ROLE[3:], "expand"])
def test_a_hand_written_operation_refuses_to_be_recorded(role: str) -> None:
    with pytest.raises(TypeError, match="the operation 'mine' was added by assigning _backward, so it has a first"):
        getattr(HandWritten("mine", print), role)(Value(1.0), Value(1.0))


def test_a_hand_written_operation_refuses_to_be_copied() -> None:
    with pytest.raises(TypeError, match=r"^the operation 'mine' was added by assigning _backward, so its graph cannot"):
        HandWritten("mine", print).written_out(Value(1.0), {})


def test_row_text_reaches_no_private_name() -> None:
    assert not [name for name in BASE_FUNCTIONS if name.startswith("_")]


@pytest.mark.parametrize(
    ("role", "module"),
    [("pull", "rules.forward"), ("exact", "generated.exact_numbers"), ("total", "generated.total_numbers")],
)
def test_functions_of_a_role_live_in_a_module_of_their_own(role: str, module: str) -> None:
    assert functions_for(role)["elu"].__module__ == f"microgrid.{module}"


@pytest.mark.usefixtures("rules_restored")
def test_a_registered_function_lives_in_a_module_of_its_own() -> None:
    register(Rule("fresh(x)", "x + 1", "next", x="1"), {})
    assert NUMBERS["fresh"](2) == 3.0 and NUMBERS["fresh"].__module__ == "microgrid.generated.fresh_forward"


@pytest.mark.usefixtures("rules_restored")
def test_what_depends_on_rules_is_told_when_one_is_replaced() -> None:
    class Dependent:
        cleared = 0

        def cache_clear(self) -> None:
            self.cleared += 1

    dependent = Dependent()
    dependents.add(dependent)
    former = Rule("fresh(x)", "x + 1", "next", x="1")
    register(former, {})
    assert dependent.cleared == 0
    register(Rule("fresh(x)", "x + 2", "next but one", x="1"), {}, former)
    assert dependent.cleared == 1


@pytest.mark.usefixtures("rules_restored")
def test_what_has_to_do_with_no_other_rule_stays_as_it_is() -> None:
    former = Rule("fresh(x)", "x + 1", "next", x="1")
    register(former, {})
    function, product = NUMBERS["fresh"], operation("mul", (True, False))
    register(Rule("other(x)", "x + 3", "another", x="1"), {})
    assert NUMBERS["fresh"] is function
    register(Rule("fresh(x)", "x + 2", "next but one", x="1"), {}, former)
    assert NUMBERS["fresh"](1.0) == 3.0 and operation("mul", (True, False)) is product


@pytest.mark.usefixtures("rules_restored")
def test_a_rule_that_comes_while_functions_are_made_is_among_them(monkeypatch: pytest.MonkeyPatch) -> None:
    other = threading.Thread(target=register, args=(Rule("late(x)", "x + 1", "next", x="1"), {}))

    def made() -> Any:
        found = {name: None for name in RULES}
        if other.ident is None:
            other.start()
            other.join(0.2)  # which waits, or is through by then
        return found

    monkeypatch.setitem(FUNCTIONS_OF_ROLE, "slow", made)
    functions_for("slow")
    other.join()
    assert "late" in functions_for("slow")


def test_nothing_comes_to_depend_on_rules_while_one_is_replaced() -> None:
    class Dependent:
        pass

    dependent = Dependent()
    other = threading.Thread(target=dependents.add, args=(dependent,))
    with registering:
        other.start()
        other.join(0.1)
        assert dependent not in dependents
    other.join()
    assert dependent in dependents


def test_leaves_become_links_to_their_sources() -> None:
    source, leaf, other = Value(2.0), Value(2.0), Value(3.0)
    make_links([leaf, other], [source, 3.0])
    assert leaf.op is IDENTITY and leaf.parents[0] is source and other.op is None
    with pytest.raises(ValueError, match="shorter"):
        make_links([Value(1.0)], [])

"""How to test a derivative in ten lines: that of your own function, of your own rule, or of any expression.

Read it from top to bottom and run it with `python demos/property_tests.py`; it needs Hypothesis.
In a test file the functions marked @given are tests as they stand: pytest calls them, here they are called by hand.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid import Value, define_rule, math
from microgrid.testing import Expression, check_gradients, check_rule, expressions

# Many random examples, the same ones in every run, so that the output is too; in tests leave this out.
settings.register_profile("demo", max_examples=50, derandomize=True, deadline=None, database=None)
settings.load_profile("demo")

print("1. A function of your own: every derivative against one found from values alone")


def distance(a, b):
    return math.hypot(a[0] - b[0], a[1] - b[1])


check_gradients(distance, [0.0, 0.0], [3.0, 4.0], order=2)
print("   distance is right at one place, to second order")


@given(st.floats(1, 9), st.floats(-9, 9))
def test_distance(x, y):
    check_gradients(distance, [0.0, 0.0], [x, y])


test_distance()
print("   and at places that Hypothesis chose, away from the kink at zero")

print("\n2. A rule of your own: one call tests it in every role, forward and reverse, twice, at edges")

gaussian = define_rule("gaussian(x)", "exp(-x * x)", "the bell curve", x="-2 * x * out")
check_rule(gaussian)
print("   gaussian is right")

print("\n3. A law that any expression obeys: random ones are drawn, each with a point to try it at")


@given(expressions(rules=["add", "mul", "sin", "exp", gaussian]))
def test_a_square_has_twice_the_slope_times_the_root(expression: Expression):
    once, squared = ([Value(x) for x in expression.point] for _ in range(2))
    out = expression(*once)
    out.backward()
    (expression(*squared) ** 2).backward()
    for x, y in zip(once, squared, strict=True):
        assert abs(y.grad - 2 * out.data * x.grad) <= 1e-9 * max(1, abs(y.grad))


test_a_square_has_twice_the_slope_times_the_root()
print("   it holds, with gaussian among the operations")

print("\n4. A mistake: the partial of this rule has lost its sign")

wrong = define_rule("wrong(x)", "exp(-x * x)", "the bell curve", x="2 * x * out")
try:
    check_rule(wrong)
except AssertionError as error:
    print(error)

print("\n5. The same mistake within a function: the table is of derivatives, the last line names the operation")

try:
    check_gradients(lambda x, y: math.sin(x) * wrong(x + y), 0.5, 0.25)
except AssertionError as error:
    print(error)

print("\n6. The same mistake, found by chance and shrunk: what Hypothesis prints can be pasted")


@given(expressions(rules=["add", "mul", "sin", wrong]))
def test_gradients(expression: Expression):
    try:
        check_gradients(expression, *expression.point)
    except AssertionError:
        raise AssertionError(expression) from None


try:
    test_gradients()
except AssertionError as error:
    print(error)

"""The compiler: a function, run once on recording values, becomes straight-line Python on floats.

`jit` is the door. A call's `arguments` are taken apart: numbers are inputs, and `settings` such as text select one of
the `cases`, which hold the compiled functions. If no case fits, `trace/` runs the function and makes a `program/`,
which passes make shorter, and `source/` writes it as Python, from the rows of the table. A `call` is a node of a graph,
and `projections` are its single results. Training steps are put together in `training` and `optim`, from programs that
`parts` traces one by one.

Results have the bits of an eager run, except for the builtin `sum` of plain floats: from Python 3.12 on it compensates
roundings, whereas a trace, which runs on `Value`s, records plain additions. `sum` is not patched; `math.fsum`, rounded
once, has the same bits in both. Gradients differ from eager ones by roundings, where the compiler rewrites sums:

- an adjoint is the sum of its terms in reverse order of the recorded operations; `backward()` adds them in an order
  that depends on the shape of the graph;
- an operation recorded twice is done once, so that adjoints are added before they are multiplied; if that makes a
  gradient infinite, the call goes back to the eager function;
- a zero adjoint is propagated like any other: a nan that results sends the call back to the eager function, and a zero
  may have the other sign;
- softmax is one step, with one sum of the results times their adjoints, in place of steps for exponentials, their sum
  and quotients;
- in a loop, an operation is repeated for each row even if its operands are the same for all; the adjoint of a number of
  a row is summed within the row before terms from outside are added.

Each of these reorders a sum, so a gradient differs by units in the last place of the sum of its terms' magnitudes.

A derivative that a transform returns inside the function is a number or a `Value` as in an eager run, with one
exception. If the choice of an operation (`relu`, `minimum`) or the branch of a row decides whether it depends on a
`Value`, compiled code returns a `Value` in any case: one with gradient zero where an eager run has a number.

On a NumPy array of plain numbers NumPy itself would calculate: it sums in another order, in the precision and integer
type of the array, and returns its own scalars. Compiled code calculates with floats, as for a list, and returns floats
and arrays of floats. If `math` raises, as for the logarithm of zero, the call is made eagerly, and so by NumPy.
"""

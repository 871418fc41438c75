"""The compiler: a function, run once on recording values, becomes straight-line Python on floats.

`trace/` runs it and makes a `program/`, which passes make shorter; `source/` writes it as Python, from the rows of the
table. `jit` is the door. A call's `arguments` are taken apart, and their `settings` select one of the `cases`, which
hold the compiled functions; a `call` is a node of a graph, from which `projections` take single results. Training steps
are put together in `training` and `optim` from `parts` that are traced apart.

Results have the bits of an eager run, but for the builtin `sum` of plain floats: from Python 3.12 on it compensates
their roundings, and a trace, which is given `Value`s, records plain additions. Nothing is patched: `math.fsum`, rounded
once, has the same bits in both. Gradients differ from eager ones by roundings, where these rewrites were made:

- an adjoint is the sum of what it gains in the order of the recorded operations, the last one first; `backward()` adds
  in an order that the shape of the graph gives;
- where the same operation was recorded twice it is done once: adjoints are added before they are multiplied; a gradient
  that is infinite, as it may be for that alone, sends the call back to the eager function;
- an adjoint that is zero is handed on like any other: a nan that comes of it sends the call back to the eager function,
  and a zero may have the other sign;
- a softmax is one step, whose sum of the results times their adjoints is taken once, rather than a step for each of the
  operations it is made of;
- in a loop, the same operation is done for each row, though its operands are the same for all; what a number gains as
  one of a row is added up before what it gains from outside of its row.

Each of them changes a sum, so that a gradient differs by units in the last place of the sum of its terms' magnitudes.

A derivative that a transform in the function returns is a number or a `Value` as in an eager run, with one exception:
where a row of the table chooses by a number (`relu`, `minimum`, the branches of rows), what it depends on is what it
may depend on, and it may be a `Value` whose gradient is zero where an eager run has a number.

On a NumPy array of plain numbers NumPy itself would calculate: with another order of sums, in the precision and the
integers of the array, and its scalars come out. Compiled code calculates with floats, as with a list, and gives floats
and arrays of floats. What `math` cannot tell, the logarithm of zero say, is left to NumPy all the same.
"""

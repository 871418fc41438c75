"""The compiler: a function, run once on recording values, becomes straight-line Python on floats.

`trace` runs it and gives a `program`; `passes` make that shorter; `templates` and `emit` write it as source, from the
rows of the table; `cases` hold the compiled functions, `call` makes a call a node of a graph, and `jit` is the door.
"""

"""Tracing: one run of a function on recording values becomes a program.

`trace` is the mode in which the function runs. Its `recorder` records operations, and by the `instrument`s of `Value`
everything else; a `translator` turns the record into steps, with `names` for the nodes. If the function calls `vmap`,
`mapping` calls the mapped function for each row and `rows` keep the calls; `rolling` makes one loop of them, and
`batch` differentiates them row by row.
"""

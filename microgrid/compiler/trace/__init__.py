"""Tracing: one run of a function on recording values becomes a program.

`trace` is the mode in which the function runs: a `recorder`, to which the `instrument`s of `Value` tell what is done
with it, and a `translator` that makes steps of what was recorded, with `names` for the nodes. For a function that
`vmap` maps, `mapping` calls it row by row and `rows` keep the calls; `rolling` makes one loop of them, and `batch`
differentiates them row by row.
"""

"""The calculus table, and what is written of it: every differentiable operation is one row.

`table` has the rows; `source` turns their text into Python, `methods` and `derivatives` into the eager and the
derivative roles of an operation. `generate` writes modules of the eager ones ahead of time; `forward`, the functions on
plain numbers, is one of them. The float functions that rows call beside the standard `math` are in `special` and
`sequences`, those of newer Pythons in `newer_math`, those that never raise in `ieee`. Nothing here knows `Value`.
"""

from microgrid.rules.table import ROWS, RULES, Rule

__all__ = ["ROWS", "RULES", "Rule"]

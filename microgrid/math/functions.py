"""Every row of the calculus table as a function: numbers in, number out; any `Value` in, `Value` out.

The functions are generated; `microgrid.math` is the module to import them from.
"""

from __future__ import annotations

from microgrid.engine.recording import names_for
from microgrid.rules import methods as eager
from microgrid.rules import source as codegen
from microgrid.rules.table import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_source = "\n".join(eager.function_source(rule) for rule in ROWS)

_defined = codegen.define(_source, "functions", names_for(_source))
FUNCTIONS: Mapping[str, Callable[..., Any]] = {rule.name: _defined[rule.name] for rule in ROWS}

globals().update(FUNCTIONS)
__test__ = dict(FUNCTIONS)

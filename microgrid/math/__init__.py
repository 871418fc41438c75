"""Drop-in for the standard `math` module: the same names, and `Value`s are welcome.

Numbers in, the standard result out, bit for bit, errors included. Any `Value` in, `Value` out, and its derivative is
known. As in `math`, `floor`, `ceil` and `trunc` give integers, predicates give bools, `ulp` and `nextafter` floats, and
functions of integers refuse a `Value`. What the newest `math` has is here on every supported Python. Besides, there are
the functions that networks need: `relu`, `sigmoid`, `softmax`, `dot` and their like.

The standard functions take a `Value` too, but only its number: the derivative is lost. In place of `import math` write
`from microgrid import math`; where that was forgotten, a `LostDerivativeWarning` says so.

>>> from microgrid import Value, math
>>> math.sin(0.5) == math.sin(Value(0.5)).data
True
>>> math.floor(Value(2.5)), math.isnan(Value(2.5))
(2, False)
"""

import math as _standard

from microgrid.math import compositions as _compositions
from microgrid.math.functions import FUNCTIONS as _FUNCTIONS
from microgrid.rules import methods as _eager
from microgrid.rules import newer_math as _fallbacks

_OPERATORS = (*_eager.DUNDER_NAMES, *_eager.UNARY_OPERATORS, "round")

_names = {name: defined for name, defined in vars(_standard).items() if not name.startswith("_")}
_names["nextafter"] = _fallbacks.nextafter
_names.update({name: function for name, function in _FUNCTIONS.items() if name not in _OPERATORS})
_names.update({name: getattr(_compositions, name) for name in _compositions.__all__})

globals().update(_names)
__all__ = sorted(_names)

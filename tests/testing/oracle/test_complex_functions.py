"""The functions of a complex number against the table of forty digits."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from microgrid.testing.oracle import complex_functions

REFERENCE = json.loads((Path(__file__).parents[2] / "reference" / "values.json").read_text())
H = 1e-150
NAMES = {
    "erf": "erf",
    "erfc": "erfc",
    "expm1": "exp_less_one",
    "gamma": "gamma",
    "lgamma": "log_gamma",
    "digamma": "digamma",
    "log1p": "log_of_one_plus",
    "polygamma": "polygamma",
    "sigmoid": "sigmoid",
    "softplus": "softplus",
}
SMALLEST = 1e-140  # a smaller slope is not seen, one of its reciprocal's size overflows


@pytest.mark.parametrize("name", NAMES)
def test_values_and_slopes_have_all_their_digits(name: str) -> None:
    function = getattr(complex_functions, NAMES[name])
    seen = 0
    for entry in REFERENCE:
        *orders, x = entry["args"]
        value, slope = float(entry["value"]), float(entry["first"][-1])
        if entry["name"] != name or not SMALLEST < abs(slope) < 1 / SMALLEST or (x < 0 and "gamma" in name):
            continue
        z = function(*orders, complex(x, H))
        assert z.real == pytest.approx(value, rel=1e-14, abs=1e-14)
        assert z.imag / H == pytest.approx(slope, rel=1e-14, abs=1e-14 * abs(value))
        seen += 1
    assert seen > 10


@pytest.mark.parametrize("x", [-2.0, -0.5, 0.0])
@pytest.mark.parametrize("name", ["gamma", "log_gamma", "digamma"])
def test_the_gamma_functions_are_for_positive_numbers(name: str, x: float) -> None:
    with pytest.raises(ValueError, match="positive real part"):
        getattr(complex_functions, name)(complex(x, H))
    with pytest.raises(ValueError, match="positive real part"):
        complex_functions.polygamma(2, complex(x, H))


def test_polygamma_of_order_zero_is_digamma() -> None:
    assert complex_functions.polygamma(0, 2.5 + 0j) == complex_functions.digamma(2.5 + 0j)


@pytest.mark.parametrize("point", [(3.0, 4.0), (-1e200, 2e200), (1e-100, -1e-100), (-2.0, -1e-5), (0.0, 1.0)])
def test_angle(point: Any) -> None:
    y, x = point
    size = math.hypot(x, y)
    by_y = complex_functions.angle(complex(y, H * size), complex(x, 0.0))
    by_x = complex_functions.angle(complex(y, 0.0), complex(x, H * size))
    assert by_y.real == by_x.real == math.atan2(y, x)
    assert by_y.imag / H == pytest.approx(x / size, rel=1e-14)
    assert by_x.imag / H == pytest.approx(-y / size, rel=1e-14)

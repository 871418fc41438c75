"""Numerical derivatives: found from the values of a function alone, independent of the partials of the table.

`complex_step` is exact to the last digits where a function is analytic, with the `complex_functions` that `cmath`
lacks; elsewhere `numerical` extrapolates differences, and estimates the error.
"""

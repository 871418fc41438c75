"""Derivatives found from the values of a function alone, which share nothing with the partials of the table.

`complex_step` is exact to the last digits where a function is analytic, with the `complex_functions` that `cmath`
lacks; `numerical` extrapolates differences elsewhere, and estimates its error.
"""

"""Hypothesis strategies: leaves, arguments of a rule, networks (`values`) and whole expressions (`drafting`).

`domains` tells where a rule is smooth, by arithmetic on `intervals`; an `expression` is a function as source text.
"""

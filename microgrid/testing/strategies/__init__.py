"""Hypothesis strategies: leaves, arguments of a rule, networks (`values`) and whole expressions (`drafting`).

`domains` read where a rule is smooth, by arithmetic on `intervals`; an `expression` is a program text.
"""

"""Hypothesis strategies for values, rules, expressions and networks."""

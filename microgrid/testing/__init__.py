"""Derivatives that can be trusted: oracles, checks, and Hypothesis strategies for code that uses microgrid."""

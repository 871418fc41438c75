"""Derivatives found from values of a function alone."""

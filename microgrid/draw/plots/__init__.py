"""Plots of what was learned, as matplotlib figures and as text for a terminal.

Each plot has a file of its own. `axes` has what figures share, `terminal` the same for text, and `fields` evaluates a
model over a plane.
"""

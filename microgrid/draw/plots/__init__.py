"""What was learned, as figures of matplotlib, and as text for a terminal.

Each plot has a file of its own; `axes` has what figures share, `terminal` what a terminal can show, and `fields` ask a
model about the points of a plane.
"""

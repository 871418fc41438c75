"""Programs: what a traced function did, as a list of steps on named numbers.

`form` has the steps, guards and loops that a program is made of; `passes` make programs shorter, `units` leave out what
a reverse pass does for dead units, and the `interpreter` does a program step by step on numbers and nodes.
"""

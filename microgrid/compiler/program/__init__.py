"""Programs: what a traced function did, as a list of steps on named numbers.

`form` has the steps, guards and loops that a program is made of; `passes` make programs shorter; `units` skips the
gradients of dead units in a reverse pass; and the `interpreter` runs a program step by step on numbers and nodes.
"""

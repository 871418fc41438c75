"""Marks: what a module of ours says of itself to those who look at its frames, so that nothing depends on its name.

A mark is an object of its own: a user's module may have a variable of the same name.
"""

from __future__ import annotations

FOLLOWED = object()  # a trace takes what is done there with `.data` and `.grad` for a part of the operation
COMPUTES = object()  # it computes with plain numbers: where it converts a `Value`, the data of a node is not a number

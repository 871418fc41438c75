"""Source: a program as Python on local floats, made to be read.

`templates` has the text of each row's step and of each product of the chain rule, `emit` writes straight-line programs
with them, forwards and backwards, and `loops` those with loops over the rows of a batch.
"""

"""Source: a program as Python on local floats, made to be read.

`templates` has the text of the result of each row of the table, and of each product of the chain rule. With them `emit`
writes straight-line programs, forwards and backwards, and `loops` those with loops over the rows of a batch.
"""

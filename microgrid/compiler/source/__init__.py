"""Source: a program written as Python that people can read."""

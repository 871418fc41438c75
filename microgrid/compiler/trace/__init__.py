"""Tracing: one run of a function becomes a program."""

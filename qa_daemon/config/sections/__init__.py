"""Sections of the configuration that have a file of their own.

In: values as they were written. Out: frozen values. Knows no file and no section but its own.
"""

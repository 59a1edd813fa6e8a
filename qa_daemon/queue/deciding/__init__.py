"""Decisions about findings: made, taken back, and kept from treading on each other.

In: what a person saw and says. Out: what became of it, or why it was refused.
"""

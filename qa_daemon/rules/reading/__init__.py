"""Rule files read strictly: YAML with its lines, conditions, suggestions, cases.

In: parsed YAML. Out: the values of `rules.schema`, and every fault with its place.
"""

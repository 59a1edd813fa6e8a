"""Rules are data: load them, prove them by their cases, evaluate them over facts.

In: a `Series`, predictions, rules. Out: findings and outcomes. Proposes nothing.
"""

"""What a judgement stands on: the rules in force, and what a series is judged beside.

In: settings, store and spool. Out: rules, series with their siblings, orders and habits. It judges
nothing and knows no pixels and no models.
"""

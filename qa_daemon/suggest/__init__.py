"""What would make a finding go away: exact values for exact elements.

In: a finding with its evidence. Out: suggestions, the likeliest first. Writes nothing.
"""

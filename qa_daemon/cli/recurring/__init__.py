"""What recurs: `qa-daemon queue issues`, `queue mute`, `queue resolve`.

In: the store of a service. Out: tables, and rulings with their audit entry.
"""

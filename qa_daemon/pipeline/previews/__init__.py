"""Pictures for the review page, drawn once a series is judged.

In: judged series. Out: picture files, and rows that say where each stands. A picture that cannot be
drawn costs no finding.
"""

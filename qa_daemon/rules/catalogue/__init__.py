"""The rules for those who own them: what may be written, what is wrong with it, and why it fired.

In: rules, packs and facts. Out: pages, tables of words, warnings and traces. Judges nothing itself.
"""

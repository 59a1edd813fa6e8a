"""Pages of administrators: users, tokens, signed-in sessions.

In: forms. Out: changed rows with their audit; a token's secret, once.
"""

"""Model cards, the LiteRT interpreter, and the child process that runs decoders and models.

In: objects as bytes. Out: `Prediction` values, abstentions included.
"""

"""Received bytes, durable before they are acknowledged, until a person lets them go.

In: byte streams with an envelope. Out: records by key. Judges nothing.
"""

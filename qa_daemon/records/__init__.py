"""The values that pass between rooms.

In: nothing. Out: frozen attrs classes. They know no database, data set, socket or clock.
"""

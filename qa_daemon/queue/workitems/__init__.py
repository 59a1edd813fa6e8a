"""The queue as a worklist of Unified Procedure Steps (PS3.4 Annex CC), without HTTP.

Each finding that somebody must decide is one step; claiming, writing and completing it follows the
standard's table of states, and a completed one has recorded a decision.
"""

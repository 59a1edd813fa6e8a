"""The review page: one finding, its pictures, and the verdict.

In: requests of people who have signed in. Out: pages, pictures as they were drawn, answers to
verdicts. Opens no pixels.
"""

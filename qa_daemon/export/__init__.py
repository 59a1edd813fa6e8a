"""What was decided, carried out as an instruction: written down, and sent to whoever may write.

In: change sets from the outbox. Out: files, messages, work items, with each place's own answer. It
changes no object, and knows no models.
"""

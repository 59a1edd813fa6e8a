"""UPS-RS (PS3.18 chapter 11): the queue as a worklist, below `/dicom-web`.

The work items are the findings that somebody must decide; none can be created here.
"""

"""service.yaml becomes one frozen `Settings`; the rules/ and models/ trees are found.

In: files and the environment. Out: values, or every fault at once.
"""

"""Pictures that are no stacks: radiographs, chests with findings, Medical MNIST; and what befalls.

In: a data folder, or a picture and a random generator. Out: examples, faults and letters drawn.
"""

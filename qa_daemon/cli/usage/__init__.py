"""How commands take their arguments, and what `--help` says of them.

In: the parsers of argparse. Out: parsers of commands, groups and options. Knows no command's work.
"""

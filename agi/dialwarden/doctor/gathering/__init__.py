"""The doctor's edge: everything that is asked of the outside, each with a limit of its own.

Knows AMI (through `link`), processes, files, sockets, the ledger and the clock; judges nothing.
"""

"""Wire formats as pure state machines: bytes in, values out, commands become bytes.

Nothing in this package opens a socket, reads a clock or knows a rule.
"""

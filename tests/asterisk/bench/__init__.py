"""The test bench: a real Asterisk on loopback, a SIP trunk that counts, a misbehaving bridge.

Nothing here imports the package under test: the bench judges it from outside, by what left the PBX.
"""

"""The peers that the gate is measured beside, each a small FastAGI server and a process.

Each prints its port as its first line: a peer is not to be connected to just to see whether it is
there (panoramisk's handler spins for ever on a connection that closes without a word).
"""

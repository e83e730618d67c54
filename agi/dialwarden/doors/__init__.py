"""The ways in: asyncio edges that ask the gate and carry its answer out.

Here are the sockets and the clocks. What is asked and answered is decided elsewhere.
"""

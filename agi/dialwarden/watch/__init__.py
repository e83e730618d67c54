"""What Asterisk's events tell us: the legs of attempts, and the legs that nobody asked about.

`watcher` takes the events in their order and hands them on: to the `guard`, which lets a leg
through or not, and to the `settlement`, which writes down what became of it. `permits` and `legs`
are what both know without asking the ledger.
"""

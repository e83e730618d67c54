"""`dialwarden doctor`: the whole chain, from the dialplan to the disk, looked at from outside.

    finding.py      what a check says                                                pure
    snapshot.py     what the checks look at: values                                  pure
    console_text.py, dialplan_text.py   what Asterisk's console prints, as values    pure
    steps.py        what one line of a dialplan does                                 pure
    asking.py       which lines dial a trunk, and whether somebody asked before      pure
    check_*.py      the checks, a subject each                                       pure
    checks.py       all of them, in the order of a report                            pure
    gathering/      the edge: AMI, `asterisk -rx`, files, the ledger, the clock

Nothing is changed, and nothing is called: what is missing or does not answer in time is a value,
and the checks that need it say so.
"""

"""A day or a month of calls, summed up for people: `summary` counts, `page` draws it as HTML.

Takes tallies, gives values and text: reads no ledger and no clock.
"""

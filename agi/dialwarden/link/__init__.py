"""Our own connection to Asterisk's manager interface, on panoramisk made safe.

The only package that imports panoramisk; docs/panoramisk.md says what is overridden and why.
"""

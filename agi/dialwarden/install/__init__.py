"""Putting our files into an Asterisk's configuration, and taking them out again."""

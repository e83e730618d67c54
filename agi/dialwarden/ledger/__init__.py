"""The ledger: what was attempted, refused, said and imported, in one SQLite file.

The only SQL of the project lives here. The query modules are plain functions over a
`sqlite3.Connection`: the command line calls them directly, the bridge inside `group_commit`.
Nothing here judges: facts go out as values of `dialwarden.facts`.

Conventions of every module: instants are INTEGER microseconds since 1970 in UTC in the file and
aware datetimes in Python; numbers are the digits of E.164 as an `int`, and text with its + in the
rows that the listing functions yield.
"""

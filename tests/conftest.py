"""What every test leans on: the time zones of the pinned data, as in the program."""

import dialwarden.tzdata  # noqa: F401

"""A list that somebody names on the command line."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import click

from dialwarden.known_lists import KnownList, known_lists, today_of

__all__ = ["KnownList", "known_list", "known_lists", "today_of"]


def known_list(lists: Mapping[str, KnownList], name: str) -> KnownList:
    """A list named on the command line.

    Raises:
        click.BadParameter: the configuration knows no such list; the nearest is named.
    """
    found = lists.get(name)
    if found is None:
        near = difflib.get_close_matches(name, lists, n=1)
        hint = f", did you mean {near[0]}?" if near else ""
        raise click.BadParameter(
            f"no list {name!a} is configured{hint} (known: {', '.join(lists) or 'none'}); "
            f"add [lists.NAME] to the configuration",
            param_hint="NAME",
        )
    return found

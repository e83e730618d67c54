"""`dialwarden why`: the whole story of a number, and when it may be called.

Owns the command and its JSON. The story is `why_story`'s, how people are told is `why_text`'s.
"""

from __future__ import annotations

import click

from dialwarden.cli.check import verdict_as_json
from dialwarden.cli.common import (
    config_option,
    json_option,
    open_site,
)
from dialwarden.cli.output import isoformat_values, print_json
from dialwarden.cli.story import callee_of
from dialwarden.cli.why_story import Story, Told, story_of
from dialwarden.cli.why_text import print_story

REFUSALS_SHOWN = 10


@click.command("why", short_help="The whole story of a number, and when it may be called.")
@click.argument("number")
@click.option("--campaign", metavar="C", default="", help="For this campaign; else for each.")
@click.option(
    "--region",
    metavar="R",
    default="",
    help="Where the callee is (FR-974); how a national number is read where campaigns differ.",
)
@click.option(
    "--at",
    metavar="ISO",
    help="As at this instant, by what was dated at or before it. Without an offset it is local "
    "time where the callee is.",
)
@click.option(
    "--all", "every", is_flag=True, help=f"Every refusal, not the newest {REFUSALS_SHOWN} alone."
)
@config_option
@json_option
def command(
    number: str,
    campaign: str,
    region: str,
    at: str | None,
    every: bool,
    config: str | None,
    as_json: bool,
) -> None:
    """Tell all that is on record of NUMBER, in clear, and whether it may be called now.

    How it is read, which lists it stands on, and in the order of time what happened: attempts and
    what they count against, objections and consents and whether they hold, appointments, silent
    calls, refusals with their reasons. Then, for each campaign, the gate's own verdict, dry: every
    failing rule, and when it may be called next. Nothing is recorded.

    Exit status 0 when the story was told, whatever the verdicts. --json has all, without a limit.
    """
    site = open_site(config)
    callee = callee_of(site, number, campaign, region)
    story = story_of(site, callee, number, campaign, region, at)
    if as_json:
        print_json(as_json_value(story, site.language))
    else:
        print_story(story, site.language, most_refusals=None if every else REFUSALS_SHOWN)


def as_json_value(story: Story, language: str) -> dict[str, object]:
    """The public form: sections, each complete."""
    return {
        "number": story.number.e164,
        "typed": story.typed,
        "country": story.number.country,
        "places": [{"region": one.region, "zone": one.zone} for one in story.number.places],
        "region": story.region,
        "at": story.at.isoformat(timespec="seconds" if story.live else "auto"),
        "lists": story.records.lists,
        "persons": {name: list(numbers) for name, numbers in story.records.persons.items()},
        **{
            name: [isoformat_values(row) for row in rows]
            for name, rows in story.records.sections.items()
        },
        "campaigns": [
            {
                **verdict_as_json(told.answer.verdict, language, live=story.live),
                "enforced": told.enforced,
                **_as_persons(told, language, live=story.live),
            }
            for told in story.campaigns
        ],
    }


def _as_persons(told: Told, language: str, *, live: bool) -> dict[str, object]:
    """There where there is something to say."""
    found = {
        person: verdict_as_json(answer.verdict, language, live=live)
        for person, answer in told.as_person.items()
    }
    return {"as_person": found} if found else {}

"""A dialplan as a value: from `dialplan show`, and from a file such as the one that is shipped.

Owns the two texts' forms and what makes two priorities the same. Refuses to know what any
application does.

Read in Asterisk's main/pbx.c (`show_dialplan_helper`, `print_ext`) and pbx/pbx_config.c: `;` begins
a comment unless a backslash is in front, what stands behind the last `)` is dropped, and a line of
`dialplan show` ends after 1023 characters. A first priority's label is not shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_CONTEXT = re.compile(r"\[ Context '(?P<name>.*)' created by '.*' \]")
# In Asterisk 22 and 16 the place is `[extensions.conf:31]`; with another registrar `[pbx_lua]`.
_PRIORITY = re.compile(
    r"\s+(?:'(?P<extension>.*?)'(?: \(CID match '(?P<caller>.*?)'\))? =>|\[(?P<label>[^\]]*)\])?\s*"
    r"(?P<priority>\d+)\. (?P<application>[^\s(]+)\((?P<data>.*?)\)?\s*(?:\[(?P<place>[^\[\]]*)\])?"
)
_INCLUDE = re.compile(r"\s+Include =>\s+'(?P<name>[^',|]*)")
_SWITCH = re.compile(r"\s+(?:Alt\. )?Switch =>\s+'(?P<name>[^']*)'")
_SECTION = re.compile(r"\[(?P<name>[^\]]+)\]")
_LINE = re.compile(
    r"(?:exten\s*=>?\s*(?P<extension>[^,]+),(?P<priority>\d+|n)|same\s*=>?\s*(?P<same>n|\d+))"
    r"(?:\((?P<label>[^)]*)\))?\s*,\s*(?P<application>\w+)(?:\((?P<data>.*)\))?\s*"
)
_COMMENT = re.compile(r"(?<!\\);.*")
_ADDRESS = re.compile(r"agi://(?P<address>[^/,]+)/")
_SHOWN = 900  # of a longer line `dialplan show` may not print the end


@dataclass(frozen=True, slots=True)
class Step:
    """One priority.

    Attributes:
        place: file and line, or who made it; "" where that is not told.
        label: "" for none, and where it is not told.
    """

    priority: int
    application: str
    data: str
    place: str = ""
    label: str = ""

    def same_as(self, other: Step) -> bool:
        """Whether both do the same, the bridge's address apart."""
        mine, its = without_address(self.data), without_address(other.data)
        if len(mine) > _SHOWN or len(its) > _SHOWN:
            mine, its = mine[:_SHOWN], its[:_SHOWN]
        return (self.priority, self.application.lower(), mine) == (
            other.priority,
            other.application.lower(),
            its,
        )


@dataclass(slots=True)
class Context:
    """A context: its extensions' steps in order, what it includes, and its switches."""

    name: str
    extensions: dict[str, list[Step]] = field(default_factory=dict)
    includes: list[str] = field(default_factory=list)
    switches: list[str] = field(default_factory=list)


Dialplan = Mapping[str, Context]


def without_address(data: str) -> str:
    """Arguments with the bridge's address left out."""
    return _ADDRESS.sub("agi://BRIDGE/", data)


def addresses(plan: Dialplan, context: str) -> tuple[str, ...]:
    """The `HOST:PORT` that a context's AGI lines ask, once each."""
    found = plan.get(context)
    if found is None:
        return ()
    return tuple(
        dict.fromkeys(
            match["address"]
            for steps in found.extensions.values()
            for step in steps
            if step.application.lower() == "agi"
            for match in [_ADDRESS.search(step.data)]
            if match
        )
    )


def read_shown(output: str) -> Dialplan:
    """Read what `dialplan show` prints."""
    plan: dict[str, Context] = {}
    context: Context | None = None
    steps: list[Step] = []
    for line in output.splitlines():
        if opened := _CONTEXT.fullmatch(line.strip()):
            context = plan.setdefault(opened["name"], Context(opened["name"]))
        elif context is None:
            continue
        elif found := _PRIORITY.fullmatch(line):
            if found["extension"] is not None:
                # One for some callers is an extension of its own: it asks for them alone.
                caller = f"/{found['caller']}" if found["caller"] else ""
                steps = context.extensions.setdefault(found["extension"] + caller, [])
            steps.append(
                Step(
                    int(found["priority"]), found["application"], found["data"],
                    found["place"] or "", found["label"] or "",
                )
            )  # fmt: skip
        elif included := _INCLUDE.match(line):
            context.includes.append(included["name"])
        elif switched := _SWITCH.match(line):
            context.switches.append(switched["name"])
    return plan


def read_file(text: str) -> Dialplan:
    """Read a file of extensions: what is shipped, not all that an admin may write."""
    plan: dict[str, Context] = {}
    context: Context | None = None
    steps: list[Step] = []
    for number, line in _without_comments(text):
        if opened := _SECTION.fullmatch(line):
            context = plan.setdefault(opened["name"], Context(opened["name"]))
        elif (found := _LINE.fullmatch(line)) and context is not None:
            if found["extension"] is not None:
                steps = context.extensions.setdefault(found["extension"].strip(), [])
            told = found["priority"] or found["same"]
            priority = len(steps) + 1 if told == "n" else int(told)
            label = found["label"] or ""
            steps.append(
                Step(priority, found["application"], found["data"] or "", str(number), label)
            )
    return plan


def _without_comments(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        kept = _COMMENT.sub("", line).replace("\\;", ";").strip()
        if kept:
            yield number, kept


def differences(ours: Dialplan, live: Dialplan, context: str) -> list[str]:
    """What of a context is otherwise in the running dialplan, a sentence each.

    More extensions than ours are one too, but in the contexts for emergency numbers and for the
    campaigns of a product, which are there to be added to.
    """
    here, there = ours[context], live.get(context)
    if there is None:
        return [f"context {context} is not loaded"]
    said = []
    for extension, steps in here.extensions.items():
        found = there.extensions.get(extension)
        if found is None:
            said.append(f"{extension}@{context} is missing")
        elif odd := _first_difference(steps, found):
            said.append(f"{extension}@{context} {odd}")
    if not context.endswith(("-emergency", "-campaigns")):
        said += [
            f"{extension}@{context} is none of ours"
            for extension in there.extensions
            if extension not in here.extensions
        ]
    return said


def _first_difference(ours: list[Step], live: list[Step]) -> str:
    for mine, its in zip(ours, live, strict=False):
        if not mine.same_as(its):
            return f"differs at priority {mine.priority} ({its.application})"
    if len(ours) != len(live):
        return f"has {len(live)} priorities, not {len(ours)}"
    return ""

"""The SQL of every migration, as it was ever applied: all CREATE statements of the ledger.

Owns the tables' shape. In what order it is applied, and to which file, is for `schema`; what the
rows mean is for the query modules.

A migration, once released, is never edited: a file that has it would differ from one that is
made today. Add another one.
"""

from __future__ import annotations

# Indexes are chosen for 5 million attempts: a question reads the callee's few rows from one
# covering index, and a change of state, of which a call sees three, rewrites no index: `state` is
# in none of them, neither as a column nor in a condition. Voiding, which is rare, does.
FIRST = """
CREATE TABLE migration (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at INTEGER NOT NULL
);

CREATE TABLE basis (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    regime TEXT NOT NULL,
    policy TEXT NOT NULL,
    policy_sha256 TEXT NOT NULL,
    lists TEXT NOT NULL,
    tzdata TEXT NOT NULL,
    program TEXT NOT NULL,
    config_sha256 TEXT NOT NULL
);

CREATE TABLE attempt (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number INTEGER NOT NULL,
    professional TEXT NOT NULL,
    campaign TEXT NOT NULL,
    person TEXT CHECK (person <> ''),
    purpose TEXT NOT NULL,
    door TEXT NOT NULL,
    call TEXT NOT NULL DEFAULT '',
    asked_by TEXT NOT NULL DEFAULT '',
    permit TEXT CHECK (permit <> ''),
    caller_id TEXT,
    region TEXT NOT NULL DEFAULT '',
    dialling TEXT NOT NULL DEFAULT '',
    relationship TEXT NOT NULL DEFAULT '',
    zones TEXT NOT NULL DEFAULT '',
    at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN
        ('reserved', 'dialled', 'rang', 'busy', 'failed', 'settled', 'voided')),
    outcome TEXT CHECK (outcome IN ('answered', 'no_answer', 'busy', 'failed', 'cancelled')),
    dialled_at INTEGER,
    rang_at INTEGER,
    answered_at INTEGER,
    ended_at INTEGER,
    settled_at INTEGER,
    voided_at INTEGER,
    voided_why TEXT,
    enforced INTEGER NOT NULL DEFAULT 1 CHECK (enforced IN (0, 1)),
    asked INTEGER NOT NULL DEFAULT 1,
    -- id of the newest objection when this was allowed: a greater one "came since", whatever
    -- any clock says
    objection_mark INTEGER NOT NULL DEFAULT 0,
    basis_id INTEGER REFERENCES basis (id),
    CHECK ((state = 'voided') = (voided_at IS NOT NULL))
);
CREATE INDEX attempt_by_number ON attempt (number, professional, at, purpose, person, voided_at);
CREATE INDEX attempt_by_person ON attempt (person, professional, at, purpose, voided_at)
    WHERE person IS NOT NULL;
CREATE INDEX attempt_by_call ON attempt (call, number) WHERE call <> '';
CREATE UNIQUE INDEX attempt_by_permit ON attempt (permit) WHERE permit IS NOT NULL;
CREATE INDEX attempt_unsettled ON attempt (at) WHERE settled_at IS NULL AND voided_at IS NULL;

CREATE TABLE leg (
    id INTEGER PRIMARY KEY,
    attempt_id INTEGER NOT NULL REFERENCES attempt (id),
    uniqueid TEXT NOT NULL UNIQUE,
    trunk TEXT NOT NULL,
    channel TEXT NOT NULL,
    at INTEGER NOT NULL,
    state TEXT NOT NULL,
    ended_at INTEGER,
    hangup_cause INTEGER
);
CREATE INDEX leg_by_attempt ON leg (attempt_id);

CREATE TABLE objection (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number INTEGER NOT NULL,
    person TEXT CHECK (person <> ''),
    professional TEXT NOT NULL,
    campaign TEXT NOT NULL DEFAULT '',
    scope TEXT NOT NULL CHECK (scope IN ('professional', 'campaign', 'all')),
    at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    door TEXT NOT NULL,
    recorded_by TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT ''
);
CREATE INDEX objection_by_number ON objection (number);
CREATE INDEX objection_by_person ON objection (person) WHERE person IS NOT NULL;

CREATE TABLE consent (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number INTEGER NOT NULL,
    professional TEXT NOT NULL,
    campaign TEXT NOT NULL DEFAULT '',
    given_at INTEGER NOT NULL,
    until TEXT,
    scope TEXT NOT NULL DEFAULT 'professional',
    proof TEXT NOT NULL DEFAULT '',
    complete INTEGER NOT NULL DEFAULT 0 CHECK (complete IN (0, 1)),
    withdrawn_at INTEGER,
    recorded_at INTEGER NOT NULL,
    recorded_by TEXT NOT NULL DEFAULT ''
);
CREATE INDEX consent_by_number ON consent (number, professional);

-- Kept beside consent.withdrawn_at: a consent that is imported after its withdrawal must not
-- rise again.
CREATE TABLE withdrawal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number INTEGER NOT NULL,
    professional TEXT NOT NULL,
    campaign TEXT NOT NULL DEFAULT '',
    at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    recorded_by TEXT NOT NULL DEFAULT ''
);
CREATE INDEX withdrawal_by_number ON withdrawal (number, professional);

CREATE TABLE appointment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number INTEGER NOT NULL,
    professional TEXT NOT NULL,
    campaign TEXT NOT NULL DEFAULT '',
    at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    recorded_by TEXT NOT NULL DEFAULT '',
    used_by INTEGER REFERENCES attempt (id)
);
CREATE INDEX appointment_by_number ON appointment (number, professional);
CREATE INDEX appointment_by_use ON appointment (used_by) WHERE used_by IS NOT NULL;

CREATE TABLE refusal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    number INTEGER,
    dialled TEXT NOT NULL,
    professional TEXT NOT NULL,
    campaign TEXT NOT NULL,
    door TEXT NOT NULL,
    call TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    rule TEXT NOT NULL,
    rules TEXT NOT NULL,
    findings TEXT NOT NULL,
    next INTEGER,
    would INTEGER NOT NULL DEFAULT 0 CHECK (would IN (0, 1)),
    basis_id INTEGER REFERENCES basis (id)
);
CREATE INDEX refusal_by_at ON refusal (at);
CREATE INDEX refusal_by_number ON refusal (number) WHERE number IS NOT NULL;

CREATE TABLE exempt_call (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    call TEXT NOT NULL,
    number INTEGER NOT NULL,
    list TEXT NOT NULL,
    campaign TEXT NOT NULL,
    door TEXT NOT NULL,
    asked_by TEXT NOT NULL
);
CREATE UNIQUE INDEX exempt_call_once ON exempt_call (call, number, list) WHERE call <> '';

-- A list's numbers come in first, in parts, each in a short transaction (tens of megabytes in one
-- would keep every other writer out for longer than it waits); the version that makes them
-- count is one small row, written last. A body without a version is an import that died.
CREATE TABLE list_body (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    started_at INTEGER NOT NULL
);
CREATE TABLE list_part (
    body_id INTEGER NOT NULL REFERENCES list_body (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('numbers', 'since')),
    part INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (body_id, kind, part)
);
CREATE TABLE list_version (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    as_of TEXT,
    imported_at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    source TEXT NOT NULL,
    crc INTEGER NOT NULL,
    body_id INTEGER NOT NULL UNIQUE REFERENCES list_body (id)
);
CREATE INDEX list_version_by_name ON list_version (name);

CREATE TABLE list_overlay (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    number INTEGER NOT NULL,
    op TEXT NOT NULL CHECK (op IN ('add', 'remove')),
    at INTEGER NOT NULL,
    recorded_by TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT ''
);
CREATE INDEX list_overlay_by_number ON list_overlay (number, name);
CREATE INDEX list_overlay_by_name ON list_overlay (name);
"""

# A silent call is one that the callee answered and no agent took. Where the attempt is known, it
# was silent once, however often that is said.
SILENT_CALLS = """
CREATE TABLE silent_call (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number INTEGER NOT NULL,
    person TEXT CHECK (person <> ''),
    professional TEXT NOT NULL,
    campaign TEXT NOT NULL DEFAULT '',
    at INTEGER NOT NULL,
    attempt_id INTEGER REFERENCES attempt (id),
    recorded_at INTEGER NOT NULL,
    recorded_by TEXT NOT NULL DEFAULT ''
);
CREATE INDEX silent_call_by_number ON silent_call (number, professional);
CREATE INDEX silent_call_by_person ON silent_call (person, professional)
    WHERE person IS NOT NULL;
CREATE UNIQUE INDEX silent_call_once ON silent_call (attempt_id) WHERE attempt_id IS NOT NULL;
"""

# `state` is how far a leg came (dialled, rang, answered); `ending` is how it ended, NULL while it
# lives and where nobody saw its end. `pbx` is whose channel it was: several may share a ledger.
LEGS = """
-- Made anew: until now nothing was written to it, and a Uniqueid alone does not tell a leg.
DROP TABLE leg;
CREATE TABLE leg (
    id INTEGER PRIMARY KEY,
    attempt_id INTEGER NOT NULL REFERENCES attempt (id),
    pbx TEXT NOT NULL,
    uniqueid TEXT NOT NULL,
    channel TEXT NOT NULL,
    trunk TEXT NOT NULL,
    at INTEGER NOT NULL,
    state TEXT NOT NULL,
    ending TEXT CHECK (ending IN ('answered', 'busy', 'no_answer', 'cancelled', 'failed')),
    ended_at INTEGER,
    hangup_cause INTEGER,
    UNIQUE (pbx, uniqueid, channel)
);
CREATE INDEX leg_by_attempt ON leg (attempt_id);
CREATE INDEX leg_open ON leg (pbx) WHERE ended_at IS NULL;
"""

# What has to be kept without end is kept without saying of whom: `number` is then minus a keyed
# hash of the number, `reduced_at` says since when. The key stays beside what it opens: a lost key
# would be a lost no. A list's version that was taken back stays, as what calls were judged by.
RETENTION = """
CREATE TABLE hash_key (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    bytes BLOB NOT NULL,
    made_at INTEGER NOT NULL
);
ALTER TABLE objection ADD COLUMN reduced_at INTEGER;
ALTER TABLE withdrawal ADD COLUMN reduced_at INTEGER;

ALTER TABLE list_version ADD COLUMN withdrawn_at INTEGER;
ALTER TABLE list_version ADD COLUMN withdrawn_by TEXT NOT NULL DEFAULT '';
ALTER TABLE list_version ADD COLUMN withdrawn_why TEXT NOT NULL DEFAULT '';

CREATE TABLE purge (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    began_at INTEGER NOT NULL,
    ended_at INTEGER,
    recorded_by TEXT NOT NULL DEFAULT '',
    removed TEXT NOT NULL
);
"""

# `override` is what a person let go, for how long and why: [since, until), or until `ended_at` when
# it was ended by hand. `rules` are joined by "&". What a call was let go under stands in its basis:
# JSON, by waived rule the id of the override.
OVERRIDES = """
CREATE TABLE override (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    campaign TEXT NOT NULL CHECK (campaign <> ''),
    professional TEXT NOT NULL,
    rules TEXT NOT NULL CHECK (rules <> ''),
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    answerable TEXT NOT NULL CHECK (answerable <> ''),
    why TEXT NOT NULL CHECK (why <> ''),
    recorded_by TEXT NOT NULL DEFAULT '',
    ended_at INTEGER,
    ended_by TEXT NOT NULL DEFAULT '',
    ended_why TEXT NOT NULL DEFAULT '',
    CHECK (until > since AND (ended_at IS NULL OR ended_at BETWEEN since AND until))
);
CREATE INDEX override_by_until ON override (until);
ALTER TABLE basis ADD COLUMN overrides TEXT NOT NULL DEFAULT '{}';
"""

# That a callee's records were erased, and why, without saying whose: `number` is minus a keyed hash
# of it, as in a reduced row. `counts` is JSON: rows removed, reduced and kept, by kind.
ERASURES = """
CREATE TABLE erasure (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number INTEGER NOT NULL CHECK (number < 0),
    at INTEGER NOT NULL,
    ended_at INTEGER,
    recorded_by TEXT NOT NULL,
    why TEXT NOT NULL,
    counts TEXT NOT NULL
);
CREATE INDEX erasure_by_number ON erasure (number);
-- The few that no campaign was there to read: who asks about a number looks through these.
CREATE INDEX refusal_without_number ON refusal (dialled) WHERE number IS NULL;
"""

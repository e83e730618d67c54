"""Rule packs: their values, how they are read, and the calendars they lean on. Pure.

parse      a policy from its text: its head, its sources, the order of its regimes
parts        the parts of a regime, table by table
words        the small forms in them
model      policies and regimes as values; figures: their parts
terms      a regime, a region and a campaign's house rules, joined for the rules to read
days       one local date under some terms: holiday, eve, windows
calendar   public holidays; hours: windows of a week; period: lengths of time
lint       what is wrong or doubtful in a policy file; laxer: what it opens that its base closed
"""

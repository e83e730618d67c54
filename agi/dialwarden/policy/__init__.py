"""Rule packs: their values, how they are read, and the calendars they lean on. Pure."""

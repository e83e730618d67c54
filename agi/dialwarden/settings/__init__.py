"""What an admin writes: the strict reader of TOML, and the configuration made with it."""

"""The pages that are written from the code: the configuration, the commands, both for `man` too."""

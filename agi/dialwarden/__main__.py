"""`python -m dialwarden`: the same as the command `dialwarden`."""

from dialwarden.cli import main

if __name__ == "__main__":
    main(prog_name="dialwarden")

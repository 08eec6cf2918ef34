"""`python -m connector.cli`: the same as the command `holdfast`."""

from connector.cli import main

if __name__ == "__main__":
    main()

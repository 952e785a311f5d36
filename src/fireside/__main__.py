"""`python -m fireside`: the program `fireside`."""

from fireside.cli.main import main

if __name__ == "__main__":
    main()

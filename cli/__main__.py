"""`python -m cli`: the same as `babychain`, from a checkout that was never installed."""

from cli.main import main

if __name__ == "__main__":
    main()

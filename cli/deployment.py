"""The deployment's own settings, for commands that work on its parts and not through its API."""

import os

import providers
from cli.environment import data_dir, local_environment
from cli.failures import CommandFailed
from domain.errors import SetupError
from settings import Settings


def fill_in() -> None:
    """Where `babychain dev` has run, what it keeps stands for what is not set."""
    if (data_dir(os.environ) / "dev.env").exists():
        os.environ.update(local_environment(os.environ, [module.KEY_NAME for module in providers.modules()]))


def load_settings() -> Settings:
    try:
        return Settings.load()
    except SetupError as error:
        remedy = "Set them as the service has them; docs/operating.md explains each. `babychain dev` needs none."
        raise CommandFailed(f"{error.message} {remedy}") from error

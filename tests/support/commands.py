"""Programs beside Python that a test needs. Without one it is skipped by name; in CI a gate that skips is no gate."""

import os
import shutil

import pytest


def needed(command: str, *, remedy: str) -> str:
    found = shutil.which(command)
    if found is None:
        said = f"needs {command}: {remedy}"
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said)
    return found

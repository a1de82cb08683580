"""Logs hold no secret, whoever wrote them."""

import io
import json
import logging

import pytest
import structlog

import telemetry

SECRET = "a-very-secret-value"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    telemetry.configure("test", "INFO", [SECRET])
    return out


def test_our_lines_and_libraries_lines_are_json(lines: io.StringIO) -> None:
    structlog.get_logger("ours").info("job_started", run_id="1", step="a\nb")
    logging.getLogger("library").warning("100%% of %s", "it")
    ours, theirs = map(json.loads, lines.getvalue().splitlines())
    assert (ours["event"], ours["run_id"], ours["step"]) == ("job_started", "1", "a\nb")
    assert theirs["event"] == "100% of it"


def test_secrets_and_queries_are_cut_out_of_every_line(lines: io.StringIO) -> None:
    structlog.get_logger("ours").info("sent", to=f"https://x.example/a?sig=1&key={SECRET}", more={"deep": [SECRET]})
    try:
        raise ValueError(f"refused {SECRET}")
    except ValueError:
        logging.getLogger("library").exception("failed with %s", SECRET)
    assert SECRET not in lines.getvalue()
    assert "sig=1" not in lines.getvalue()
    assert "https://x.example/a?[redacted]" in lines.getvalue()

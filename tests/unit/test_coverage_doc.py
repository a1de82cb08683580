"""The coverage page tells the truth."""

from tools import coverage_doc


def test_every_test_that_the_coverage_table_names_exists() -> None:
    assert coverage_doc.missing_tests() == []


def test_the_coverage_page_is_what_its_table_says() -> None:
    assert coverage_doc.PAGE.read_text() == coverage_doc.render(), "run 'make coverage-doc'"


def test_every_row_is_there_once() -> None:
    rows = [line.split("|")[1].strip() for line in coverage_doc.PAGE.read_text().splitlines() if line.startswith("| S")]
    assert rows == [f"S{number}" for number in range(1, 172)]

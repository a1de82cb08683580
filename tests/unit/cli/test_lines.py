"""The lines of `run --each`: their keys, their shapes, and what is remembered of them."""

from pathlib import Path

from cli.lines import Line, Result, Results, read_lines, still_to_do


def lines(folder: Path, *texts: str, batch: str = "", **shared: object) -> list[Line]:
    file = folder / "lines.jsonl"
    file.write_text("\n".join(texts))
    return read_lines(file, "chain1", {"input": dict(shared)}, batch)


def test_a_lines_key_follows_its_words_and_not_its_place(tmp_path: Path) -> None:
    [one] = lines(tmp_path, '{"a_prompt": "boat"}')
    first, second, third = lines(tmp_path, '{"a_prompt": "new"}', '{ "a_prompt":"boat" }', '{"a_prompt": "boat"}')
    assert second.key == one.key
    assert len({first.key, second.key, third.key}) == 3, "equal lines are as many runs"
    [another] = lines(tmp_path, '{"a_prompt": "boat"}', batch="again")
    assert another.key != one.key
    assert lines(tmp_path, '{"a_prompt": "boat", "idempotency_key": "mine"}')[0].key == "mine"


def test_what_the_flags_say_holds_for_all_and_the_lines_own_words_win(tmp_path: Path) -> None:
    [line] = lines(tmp_path, '{"params": {"b": 2}, "c": 3}', params={"a": 1, "b": 1}, c=1)
    assert line.body == {"input": {"params": {"a": 1, "b": 2}, "c": 3}}
    [whole] = lines(tmp_path, '{"input": {"c": 3}, "metadata": {"x": 1}}', c=1)
    assert whole.body == {"input": {"c": 3}, "metadata": {"x": 1}}


def test_a_bad_line_says_why_and_the_others_stay(tmp_path: Path) -> None:
    good, broken, array, other = lines(tmp_path, "{}", "{", "[]", '{"input": {}, "chain": "chain2"}')
    assert good.fault is None
    assert all(line.fault for line in (broken, array, other))
    assert [line.number for line in lines(tmp_path, "{}", "", "{}")] == [1, 3]


def test_words_and_seeds_do_not_change_what_a_line_costs(tmp_path: Path) -> None:
    one, two, longer = lines(
        tmp_path,
        '{"p": {"prompt": "a", "seed": 1, "content": [{"text": "x"}], "duration": 4}}',
        '{"p": {"prompt": "b", "seed": 2, "content": [{"text": "y"}], "duration": 4}}',
        '{"p": {"prompt": "b", "seed": 2, "content": [{"text": "y"}], "duration": 5}}',
    )
    assert one.shape == two.shape != longer.shape


def test_what_has_ended_is_not_done_again_and_a_torn_line_is_no_word(tmp_path: Path) -> None:
    done, open_line = lines(tmp_path, '{"a": 1}', '{"a": 2}')
    results = Results(tmp_path / "lines.jsonl.results")
    assert results.read() == {}
    results.add(Result(1, done.key, "unfinished", "run-1", "lost"))
    results.add(Result(1, done.key, "failed", "run-1"))
    results.add(Result(2, open_line.key, "refused", error="no"))
    with results.file.open("a") as torn:
        torn.write('{"line": 2, "key"')
    known = results.read()
    assert known[done.key] == Result(1, done.key, "failed", "run-1")
    assert still_to_do([done, open_line], known) == [open_line]

"""The lines of `run --each`: their keys, their shapes, and what is remembered of them."""

from pathlib import Path

from cli.lines import Line, Result, Results, read_lines, still_to_do


def lines(
    folder: Path, *texts: str, batch: str = "", metadata: dict[str, object] | None = None, **shared: object
) -> list[Line]:
    file = folder / "lines.jsonl"
    file.write_text("\n".join(texts))
    flags = {"input": dict(shared)} | ({"metadata": metadata} if metadata else {})
    return read_lines(file, "chain1", flags, batch)


def test_a_lines_key_follows_its_words_and_not_its_place(tmp_path: Path) -> None:
    [one] = lines(tmp_path, '{"a_prompt": "boat"}')
    first, second, third = lines(tmp_path, '{"a_prompt": "new"}', '{ "a_prompt":"boat" }', '{"a_prompt": "boat"}')
    assert second.key == one.key
    assert len({first.key, second.key, third.key}) == 3, "equal lines are as many runs"
    [another] = lines(tmp_path, '{"a_prompt": "boat"}', batch="again")
    assert another.key != one.key
    assert lines(tmp_path, '{"a_prompt": "boat", "idempotency_key": "mine"}')[0].key == "mine"
    assert lines(tmp_path, '{"a_prompt": "boat", "idempotency_key": 7}')[0].key == "7"


def test_what_the_flags_say_holds_for_all_and_the_lines_own_words_win(tmp_path: Path) -> None:
    [line] = lines(tmp_path, '{"params": {"b": 2}, "c": 3}', params={"a": 1, "b": 1}, c=1)
    assert line.body == {"input": {"params": {"a": 1, "b": 2}, "c": 3}}
    [whole] = lines(tmp_path, '{"input": {"c": 3}, "metadata": {"x": 1}}', c=1)
    assert whole.body == {"input": {"c": 3}, "metadata": {"x": 1}}


def test_the_flags_metadata_and_tags_hold_for_lines_that_have_their_own(tmp_path: Path) -> None:
    flags: dict[str, object] = {"tags": ["eachy"], "a": "flag", "b": "flag"}
    own = '{"input": {}, "metadata": {"a": "line", "tags": ["mine", "eachy"]}}'
    empty, strange = '{"input": {}, "metadata": null}', '{"input": {}, "metadata": {"tags": "mine"}}'
    whole, plain, none, odd = lines(tmp_path, own, '{"c": 3}', empty, strange, metadata=flags)
    assert whole.body["metadata"] == {"a": "line", "b": "flag", "tags": ["eachy", "mine"]}
    assert plain.body["metadata"] == none.body["metadata"] == flags
    assert odd.body["metadata"]["tags"] == "mine", "the API's to refuse"
    assert flags == {"tags": ["eachy"], "a": "flag", "b": "flag"}


def test_a_lines_prompt_wins_over_one_that_the_flags_have_in_the_models_own_place(tmp_path: Path) -> None:
    mine, plain, native = lines(
        tmp_path,
        '{"a_prompt": "mine", "b_prompt": "mine"}',
        "{}",
        '{"a_params": {"prompt": "native"}}',
        a_params={"prompt": "shared", "width": 8},
        b_params={"content": [{"type": "text", "text": "shared"}]},
    )
    assert mine.body["input"] == {
        "a_params": {"prompt": "mine", "width": 8},
        "b_params": {"content": [{"type": "text", "text": "mine"}]},
    }
    assert plain.body["input"]["b_params"]["content"][0]["text"] == "shared"
    assert native.body["input"]["a_params"] == {"prompt": "native", "width": 8}


def test_a_lines_model_wins_over_the_flags_in_whichever_place_each_has_it(tmp_path: Path) -> None:
    flat, nested = lines(
        tmp_path,
        '{"a_model": "mine"}',
        '{"a_model": "lost", "chain_models": {"a_model": "mine"}}',
        chain_models={"a_model": "shared", "b_model": "shared"},
    )
    assert flat.body["input"] == {"a_model": "mine", "chain_models": {"b_model": "shared"}}
    assert nested.body["input"]["chain_models"] == {"a_model": "mine", "b_model": "shared"}


def test_a_line_ends_at_its_line_feed_alone(tmp_path: Path) -> None:
    first, second = lines(tmp_path, '{"a_prompt": "a\u2028boat\x85"}\r', "{}")
    assert (first.fault, first.body["input"]["a_prompt"], second.number) == (None, "a\u2028boat\x85", 2)


def test_a_bad_line_says_why_and_the_others_stay(tmp_path: Path) -> None:
    good, *bad = lines(
        tmp_path,
        "{}",
        "{",
        "[]",
        '{"input": {}, "chain": "chain2"}',
        '{"a": NaN}',
        '{"a": "\\ud800"}',
        "[" * 100_000,
        '{"idempotency_key": "é"}',
    )
    assert good.fault is None
    assert all(line.fault for line in bad)
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

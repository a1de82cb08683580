"""The figures break everything that the sandbox can break, at every provider that has models of its own."""

import providers
from bench.figures_cases import CASES, DEPLOYMENTS, SUBJECTS
from domain.media import MediaKind
from domain.provider import SafetyClass
from sandbox import faults
from tests.support.orders import catalogue


def test_every_fault_kind_of_the_sandbox_is_among_the_cases() -> None:
    kinds = faults.CALLS | faults.ON_NOTICE | faults.AT_ACCEPTANCE
    assert {case.rule["kind"] for case in CASES} == kinds
    assert len(kinds) >= 25


def test_every_case_is_a_rule_that_the_sandbox_takes() -> None:
    for case in CASES:
        faults.Rule.model_validate(case.rule)
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_provider_is_met_and_both_of_its_kinds_of_models() -> None:
    cards = {name: catalogue(subject.mode).models[subject.model] for name, subject in SUBJECTS.items()}
    there = {(module.NAME, card.kind) for module in providers.modules() for card in module.MODELS.values()}
    # All of BabySea's models are started and read by the same two calls, whatever they make.
    assert {(card.provider, card.kind) for card in cards.values()} == there | {("babysea", MediaKind.IMAGE)}
    assert {card.safety(webhooks_reach_us=True) for card in cards.values()} == set(SafetyClass)


def test_who_draws_and_who_takes_over_is_broken_in_no_deployment() -> None:
    for subjects in DEPLOYMENTS:
        for subject in subjects.values():
            cards = catalogue(subject.mode).models
            broken = {cards[other.model].provider for other in subjects.values()}
            helpers = [name for name in (subject.then, subject.draws) if name]
            if subject.mode == "sandbox":
                assert not broken & {cards[name].provider for name in helpers}
            assert subject.model not in helpers
            assert cards[subject.then].kind is cards[subject.model].kind
            assert subject.draws or cards[subject.model].inputs.minimum == 0


def test_after_an_unknown_start_and_after_what_the_request_is_to_blame_for_no_other_model_has_its_turn() -> None:
    ended = {"start_outcome_unknown", "provider_invalid_request", "provider_content_moderated"}
    ended |= {"step_running_timed_out", "provider_unexpected_response"}
    for case in CASES:
        for name in SUBJECTS:
            if (alone := case.expected(name, listed=False)) in ended:
                assert case.expected(name, listed=True) == alone

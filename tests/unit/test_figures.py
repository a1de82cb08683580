"""The figures break everything that the sandbox can break, at every provider that has models of its own."""

import providers
from bench.figures_faults import CASES, MODELS
from domain.media import MediaKind
from sandbox import faults


def test_every_fault_kind_of_the_sandbox_is_among_the_cases() -> None:
    kinds = faults.CALLS | faults.ON_NOTICE | faults.AT_ACCEPTANCE
    assert {case.rule["kind"] for case in CASES} == kinds
    assert len(kinds) >= 25


def test_every_case_is_a_rule_that_the_sandbox_takes() -> None:
    for case in CASES:
        faults.Rule.model_validate(case.rule)
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_provider_is_met_and_both_of_its_kinds_of_models() -> None:
    modules = [module for module in providers.modules() if not hasattr(module, "MODE")]
    there = {(module.NAME, card.kind) for module in modules for card in module.MODELS.values()}
    met = {
        (module.NAME, module.MODELS[name].kind)
        for module in modules
        for name in MODELS.values()
        if name in module.MODELS
    }
    assert met == there
    assert {kind for _, kind in met} == set(MediaKind)

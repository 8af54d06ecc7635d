"""Fixtures: a rules-only screener, and a stub model that any test can script."""

from collections.abc import Callable, Sequence

import pytest

import netral
from netral.schema import Prediction


class StubClassifier:
    """Answers flags by a function of the text and remembers what it was asked."""

    def __init__(self, answer: Callable[[str], dict[str, float]]) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        self.asked += texts
        return [Prediction({"partisan": 0.01, "hate": 0.01, "hoax": 0.01} | self.answer(text)) for text in texts]


@pytest.fixture(scope="session")
def rules_screener() -> netral.Screener:
    return netral.load("rules")


@pytest.fixture
def stub() -> type[StubClassifier]:
    return StubClassifier

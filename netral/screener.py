"""Screener: normalise, rules and model, decide. One Screener, one contest, one model."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from importlib.resources import as_file, files
from itertools import islice
from pathlib import Path

from netral.contest import Contest, load_contest
from netral.decision import Decision, Policy, decide
from netral.errors import ModelError, TextTooLong
from netral.explain import occlude
from netral.normalize import fold
from netral.regulations import pointers
from netral.rules import RuleClassifier, evidence_of, load_rules
from netral.schema import FLAGS, MAX_CHARS, VERSION, Classifier, Label, Pointer, Post, Prediction, Verdict

logger = logging.getLogger(__name__)

_CHUNK = 256  # posts judged together, so that those alike in length share runs; their results do not depend on it
_NOTHING = dict.fromkeys(FLAGS, 0.0)
_Chunk = tuple[list[Post], Callable[[], list[Prediction]]]


class Screener:
    """Judges posts; made by `netral.load`, safe from several threads.

    `classifier` is the model's seam: anything that answers the three flags; None leaves rules alone.
    `model` names the classifier in `Verdict.version`, which ends in a hash of rules and contest.
    """

    def __init__(
        self,
        rules: RuleClassifier,
        classifier: Classifier | None = None,
        policy: Policy | None = None,
        model: str = "-",
    ) -> None:
        """Store the parts; nothing is loaded here."""
        self.rules = rules
        self.classifier = classifier
        self.policy = policy or Policy()
        self.version = f"{VERSION}/{model}/{rules.version}"

    def predict(self, text: str, *, explain: bool = False) -> Verdict:
        """Judge one text; see `netral.predict`."""
        return self.predict_batch([text], explain=explain)[0]

    def predict_batch(self, texts: Iterable[str], *, explain: bool = False) -> list[Verdict]:
        """Judge texts; same length and order, [] for []; see `netral.predict_batch`."""
        if isinstance(texts, str | bytes):
            raise TypeError("predict_batch takes an iterable of texts; give one text to predict")
        return list(self.stream((Post(text=text) for text in texts), explain=explain))

    def stream(self, posts: Iterable[Post], *, explain: bool = False) -> Iterator[Verdict]:
        """Judge posts lazily and in order, up to 512 of them ahead where a model judges.

        Raises as `predict` does, or what `posts` raises, after the verdicts of the posts before.
        """
        checked = (_checked(post, index) for index, post in enumerate(posts))
        if self.classifier is None:
            yield from (self.judge(post) for post in checked)
            return
        for post, own, quoted in self._predicted(self.classifier, checked):
            verdict = self.judge(post, own, quoted)
            yield self.explain(verdict) if explain else verdict

    def _predicted(
        self, classifier: Classifier, posts: Iterator[Post]
    ) -> Iterator[tuple[Post, Prediction | None, Prediction | None]]:
        """Yield posts with the predictions of text and quoted text (None for blank ones)."""
        waiting: deque[_Chunk] = deque()
        fault: Exception | None = None
        ahead = ThreadPoolExecutor(1, "netral-stream")
        try:
            while True:
                chunk: list[Post] = []
                if fault is None:
                    chunk, fault = _drawn(posts)
                if chunk:
                    texts = [text for post in chunk for text in (post.text, post.quoted) if _shows(text)]
                    judge = partial(_answers, classifier, texts)
                    # The last chunk needs no thread: so a single text is judged where none can start.
                    waiting.append((chunk, ahead.submit(judge).result if len(chunk) == _CHUNK else judge))
                if not waiting:
                    break
                if len(waiting) > 1 or not chunk:
                    done, result = waiting.popleft()
                    predictions = iter(result())
                    for post in done:
                        own, quoted = (next(predictions) if _shows(text) else None for text in (post.text, post.quoted))
                        yield post, own, quoted
        finally:
            ahead.shutdown(wait=False, cancel_futures=True)
        if fault is not None:
            raise fault

    def judge(self, post: Post, own: Prediction | None = None, quoted: Prediction | None = None) -> Verdict:
        """Join a post's rule hits with the model's predictions of its text and its quoted text."""
        if _shows(post.text):
            decision = self._decide(post, post.text, own)
        else:
            decision = Decision(
                Label.NEUTRAL, 1.0, _NOTHING, (), "rules" if self.classifier is None else "model", False
            )
        review = decision.review
        if _shows(post.quoted):
            review |= self._decide(post, post.quoted, quoted).label is not Label.NEUTRAL
        return Verdict(
            label=decision.label,
            score=decision.score,
            flags=decision.flags,
            evidence=(*evidence_of(decision.hits), *(own.evidence if own else ())),
            regulations=self._pointers(decision, post),
            decided_by=decision.decided_by,
            review=review,
            truncated=bool(own and own.truncated),
            version=self.version,
            post=post,
        )

    def explain(self, verdict: Verdict) -> Verdict:
        """Return the verdict with the model's own evidence added: words whose absence lowers a flag."""
        flagged = [flag for flag in FLAGS if verdict.flags[flag] >= self.policy.thresholds[flag]]
        if self.classifier is None or verdict.label is Label.NEUTRAL:
            return verdict
        found = occlude(self.classifier, verdict.post.text, flagged)
        return replace(verdict, evidence=(*verdict.evidence, *found))

    def _decide(self, post: Post, text: str, prediction: Prediction | None) -> Decision:
        hits = self.rules.match(text, post.time)
        return decide(hits, prediction.flags if prediction else None, self.policy)

    def _pointers(self, decision: Decision, post: Post) -> tuple[Pointer, ...]:
        if decision.label is Label.NEUTRAL:
            return ()
        flagged = {flag for flag in FLAGS if decision.flags[flag] >= self.policy.thresholds[flag]}
        return pointers(
            flagged | {hit.rule for hit in decision.hits if hit.flag in flagged}, post.time, self.rules.contest
        )


def _shows(text: str) -> bool:
    """Return whether anything of a text can be seen: zero-width characters alone are a blank text."""
    return bool(fold(text).strip())


def _drawn(posts: Iterator[Post]) -> tuple[list[Post], Exception | None]:
    """Return the next chunk, and what `posts` raised after it."""
    chunk: list[Post] = []
    try:
        chunk.extend(islice(posts, _CHUNK))
    except Exception as error:  # whatever a reader of the caller's raises
        return chunk, error
    return chunk, None


def _answers(classifier: Classifier, texts: list[str]) -> list[Prediction]:
    answers = classifier.predict(texts)
    if len(answers) != len(texts):
        raise ModelError(f"the classifier gave {len(answers)} predictions for {len(texts)} texts")
    return answers


def _checked(post: Post, index: int) -> Post:
    if not isinstance(post, Post):
        raise TypeError(f"post {index} is {type(post).__name__}, not Post")
    for what, text in (("text", post.text), ("quoted text", post.quoted)):
        if not isinstance(text, str):
            raise TypeError(f"{what} {index} is {type(text).__name__}, not str")
        if len(text) > MAX_CHARS:
            raise TextTooLong(
                f"{what} {index} has {len(text):,} characters; at most {MAX_CHARS:,} are judged, so split it"
            )
    return post


def load(
    model: str | Path | None = None, *, rules: Path | None = None, contest: Contest | str | Path | None = None
) -> Screener:
    """Return a Screener; `model` None is the shipped one, "rules" asks for rules alone, else a directory.

    `rules` is a folder of further rule files; `contest` a roster, the id of a bundled one or a TOML file.
    Only the shipped model may be missing (then rules judge, with one warning). Raises `ModelError`,
    `RuleError` or `ContestError`.
    """
    roster = contest if contest is None or isinstance(contest, Contest) else load_contest(contest)
    classifier = RuleClassifier(load_rules(rules), roster)
    if model == "rules":
        return Screener(classifier)
    if model is None:
        with as_file(files("netral").joinpath("resources", "model")) as shipped:
            if not (shipped / "netral.json").exists():
                logger.warning("the shipped model is missing, rules alone judge; install netral again to have it back")
                return Screener(classifier)
            return _with_model(shipped, classifier)  # before a copy unpacked from a zip is gone
    return _with_model(Path(model), classifier)


def _with_model(directory: Path, rules: RuleClassifier) -> Screener:
    from netral.model import load_model

    loaded = load_model(directory, rules.contest)
    return Screener(rules, loaded, loaded.policy, loaded.version)

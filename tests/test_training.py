"""The recipe end to end on a tiny checkpoint of IndoBERT's own classes; needs netral[train]."""

import json
import math
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs netral[train]")
pytest.importorskip("transformers", reason="needs netral[train]")
pl = pytest.importorskip("polars")
np = pytest.importorskip("numpy")

import netral  # noqa: E402
from netral.decision import Policy  # noqa: E402
from netral.errors import ModelError  # noqa: E402
from netral.model import OnnxClassifier, TorchClassifier, _runs, calibrate, load_model  # noqa: E402
from netral.schema import FLAGS  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]
ROOT = Path(__file__).parents[1]
TEXTS = [
    "pilih nomor dua",
    "warga bodoh semua",
    "sebarkan sebelum dihapus",
    "jadwal imunisasi rabu",
    "AMIN amin aamiin",
]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("checkpoint")
    words = sorted({word for text in TEXTS for word in text.lower().split()} | {"pilih", "nomor", "aamiin", "teks"})
    letters = [chr(code) for code in range(97, 123)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{x}" for x in letters), *words]
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(pieces)) + "\n", encoding="utf-8")
    config = BertConfig(
        vocab_size=len(dict.fromkeys(pieces)), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=128,
    )  # fmt: skip
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def rows(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    flags = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0), (0, 0, 0)]
    data = [
        {name: float(value) for name, value in zip(FLAGS, flag, strict=True)}
        | {
            "text": f"{text} {index}",
            "weight": 1.0,
            "split": "dev" if index % 5 == 4 else "train",
            "source": "authored",
        }
        | {"tier": "authored", "unsure": False, "drawn": "authored", "group": "", "pair": ""}
        for index in range(60)
        for text, flag in zip(TEXTS, flags, strict=True)
    ]
    pl.DataFrame(data).write_parquet(path)
    return path


def run(module, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", f"training.{module}", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="session", params=["mean", "first"])
def trained(request, checkpoint, rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    config = folder / "config.toml"
    config.write_text(f'pooling = "{request.param}"\nepochs = 2\nlr = 1e-3\nmax_tokens = 32\n', encoding="utf-8")
    run("train", "--config", config, "--checkpoint", checkpoint, "--rows", rows, "--out", folder / "trained")
    run("export", "--checkpoint", folder / "trained", "--out", folder / "fp32", "--fp32", "--max-tokens", 32)
    return folder


def test_exported_fp32_equals_torch(trained):
    onnx, plain = OnnxClassifier(trained / "fp32"), TorchClassifier(trained / "trained")
    plain._max_tokens = 32  # as exported
    texts = [*TEXTS, "teks panjang sekali " * 40]
    for one, two in zip(onnx.predict(texts), plain.predict(texts), strict=True):
        assert one.flags == pytest.approx(two.flags, abs=1e-4)


@pytest.fixture(scope="session")
def ngrams(rows):
    run("ngrams", "--rows", rows, "--out", rows.parent / "ngrams.npz")
    return rows.parent / "ngrams.npz"


def test_ngrams_learn_and_stand_beside_the_encoder(trained, rows, ngrams, tmp_path):
    fp32 = ("--checkpoint", trained / "trained", "--fp32", "--max-tokens", 32)
    run("export", *fp32, "--ngrams", ngrams, "--out", tmp_path / "plain")
    run("calibrate", "--model", tmp_path / "plain", "--rows", rows, "--out", tmp_path / "policy.json")
    run("export", *fp32, "--ngrams", ngrams, "--policy", tmp_path / "policy.json", "--out", tmp_path / "both")
    alone, both = OnnxClassifier(trained / "fp32"), OnnxClassifier(tmp_path / "both")
    for text, row, more in zip(TEXTS, alone.logits(TEXTS), both.logits(TEXTS), strict=True):
        assert more[:3] == row
        assert both.logits([text]) == [more]
    assert [[score > 0 for score in row[3:]] for row in both.logits(TEXTS[:4])] == [
        [True, False, False], [False, True, False], [False, False, True], [False, False, False],
    ]  # fmt: skip
    shift, slope, share = json.loads((tmp_path / "both" / "netral.json").read_text())["calibration"]["hate"]
    row = both.logits(["pilih nomor 2"])[0]
    want = 1 / (1 + math.exp(-(shift + slope * row[1] + share * row[4])))
    assert both.predict(["pilih nomor 2"])[0].flags["hate"] == pytest.approx(want)
    (tmp_path / "both" / "ngrams.npz").write_bytes(b"PK")
    with pytest.raises(ModelError, match=r"ngrams\.npz is not the file that was exported"):
        load_model(tmp_path / "both")
    run("export", *fp32, "--out", tmp_path / "both")  # without them none may stay behind
    assert OnnxClassifier(tmp_path / "both").logits(TEXTS) == alone.logits(TEXTS)


@pytest.mark.parametrize("text", ["", " ", "a", "\ud800 pilih \U0001f600", "x" * 50_000, "PILIH\n\tnomor  dua"])
def test_any_text_has_ngrams(text, ngrams):
    from netral.ngrams import Ngrams, counts

    buckets, times = counts(text, 19)
    assert buckets.max() < 1 << 19
    assert (times >= 1).all()
    assert all(math.isfinite(score) for score in Ngrams(ngrams).logits(text))
    assert (counts(text.lower(), 19)[0] == buckets).all()
    assert (counts(f"  {text} ", 19)[0] == buckets).all()


def test_ngrams_fall_into_the_buckets_they_were_trained_in():
    from netral.ngrams import counts

    buckets, times = counts("aaa b", 19)  # " aaa b " has 18 n-grams of 2 to 5 characters, "aa" twice
    assert len(buckets) == 17
    assert sorted(set(times.tolist())) == [1.0, pytest.approx(1 + math.log(2))]
    assert buckets[:4].tolist() == [9071, 14734, 26615, 48215]


def test_calibrate_and_export_int8_give_a_usable_directory(trained, rows):
    run("calibrate", "--model", trained / "fp32", "--rows", rows, "--out", trained / "policy.json")
    options = ("--policy", trained / "policy.json", "--rows", rows)
    run("export", "--checkpoint", trained / "trained", "--out", trained / "int8", *options)
    screener = netral.load(trained / "int8")
    verdicts = screener.predict_batch(TEXTS)
    fitted = json.loads((trained / "policy.json").read_text())
    assert screener.policy == Policy.from_dict(fitted["policy"])
    (logits,) = screener.classifier.logits([TEXTS[3]])  # no rule matches it
    assert verdicts[3].flags == pytest.approx(calibrate(logits, fitted["calibration"]), abs=1e-4)
    assert verdicts[3].decided_by == "model"
    assert [screener.predict(text).flags for text in TEXTS] == [
        pytest.approx(dict(verdict.flags), abs=1e-4) for verdict in verdicts
    ]


def test_posts_that_share_a_run_keep_their_logits(trained, rows, tmp_path):
    run("export", "--checkpoint", trained / "trained", "--out", tmp_path / "int8", "--rows", rows, "--max-tokens", 32)
    classifier = OnnxClassifier(tmp_path / "int8")
    texts = [" ".join(random.Random(seed).choices(" ".join(TEXTS).split(), k=1 + seed % 40)) for seed in range(300)]
    alone = [classifier.logits([text])[0] for text in texts]
    if trained.name.startswith("mean"):
        assert classifier.logits(texts) == alone
    else:  # the pooler's float product may add in another order
        assert classifier.logits(texts) == [pytest.approx(row, abs=1e-5) for row in alone]


def test_equal_biases_stored_once_are_exported(checkpoint, rows, tmp_path):
    from training.checkpoint import load_tokenizer
    from training.model import build

    tokenizer = load_tokenizer(checkpoint)
    model = build(checkpoint, tokenizer, "mean")
    assert not any(value.any() for name, value in model.named_parameters() if name.endswith("dense.bias"))
    model.save_pretrained(tmp_path / "plain")
    tokenizer.save_pretrained(tmp_path / "plain")
    run("export", "--checkpoint", tmp_path / "plain", "--out", tmp_path / "int8", "--rows", rows)
    one, two = OnnxClassifier(tmp_path / "int8"), TorchClassifier(tmp_path / "plain")
    for ours, theirs in zip(one.predict(TEXTS), two.predict(TEXTS), strict=True):
        assert ours.flags == pytest.approx(theirs.flags, abs=0.02)


def test_runs_hold_windows_of_one_length():
    lengths = [random.Random(1).randrange(3, 193) for _ in range(500)]
    runs = list(_runs(lengths))
    assert sorted(index for run in runs for index in run) == list(range(500))
    for run in runs:
        assert len({lengths[index] for index in run}) == 1
        assert len(run) == 1 or len(run) * lengths[run[0]] <= 160


def test_an_altered_or_foreign_directory_is_refused(trained, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in (trained / "fp32").iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    card = json.loads((copy / "netral.json").read_text())
    for change, message in (
        ({"labels": ["a", "b", "c"]}, "answers"),
        ({"normalizer": "0"}, "normaliser"),
        ({"policy": {}}, "malformed"),
        ({"calibration": {}}, "calibration wants 2 numbers"),
    ):
        (copy / "netral.json").write_text(json.dumps(card | change))
        with pytest.raises(ModelError, match=message):
            load_model(copy)
    (copy / "netral.json").write_text(json.dumps(card))
    (copy / "tokenizer.json").write_bytes(b"{}")
    with pytest.raises(ModelError, match="SHA-256"):
        load_model(copy)


def test_a_checkpoint_of_other_labels_is_refused(checkpoint):
    with pytest.raises(ModelError, match="id2label"):
        load_model(checkpoint)


def test_a_stopped_training_ends_as_one_that_was_not(checkpoint, rows, tmp_path):
    from safetensors.torch import load_file

    config = tmp_path / "config.toml"
    lines = 'pooling = "mean"\nepochs = 8\nlr = 1e-3\nmax_tokens = 32\nbatch_tokens = 400\n'
    config.write_text(lines, encoding="utf-8")
    arguments = ("--config", config, "--checkpoint", checkpoint, "--rows", rows)
    run("train", *arguments, "--out", tmp_path / "whole")
    assert not (tmp_path / "whole" / "resume.pt").exists()
    out = tmp_path / "stopped"
    command = [sys.executable, "-m", "training.train", *map(str, arguments), "--out", str(out), "--save-seconds", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not (out / "resume.pt").exists() and process.poll() is None:
            time.sleep(0.01)
        process.kill()
    assert (out / "resume.pt").exists()
    config.write_text(lines + "seed = 2\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="left by a run of other settings"):
        run("train", *arguments, "--out", out)
    config.write_text(lines, encoding="utf-8")
    run("train", *arguments, "--out", out)
    whole, stopped = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "stopped"))
    assert all(torch.equal(value, stopped[name]) for name, value in whole.items())


def test_adaptation_keeps_what_a_short_corpus_taught(checkpoint, tmp_path):
    from safetensors.torch import load_file

    pl.DataFrame({"text": TEXTS * 20, "domain": ["social"] * 100}).write_parquet(tmp_path / "text.parquet")
    steps = ("--batch-tokens", 100, "--tokens", 5_000)  # several steps, and fewer tokens than are asked for
    texts = ("--texts", tmp_path / "text.parquet", "--out", tmp_path / "adapted")
    run("adapt", "--checkpoint", checkpoint, *texts, *steps)
    assert {"tokenizer.json", "resume.pt"} <= {file.name for file in (tmp_path / "adapted").iterdir()}
    before, after = (load_file(folder / "model.safetensors") for folder in (checkpoint, tmp_path / "adapted"))
    for name in ("embeddings.word_embeddings.weight", "encoder.layer.1.output.dense.weight"):
        assert not torch.equal(after[name][: len(before[name])], before[name])


def test_the_recipe_makes_a_model_in_one_command_and_makes_nothing_twice(checkpoint, rows, tmp_path):
    out = tmp_path / "mine"
    out.mkdir()
    shutil.copy(rows, out)  # so the public posts are not asked for
    command = ("--config", "training/configs/tiny.toml", "--checkpoint", checkpoint, "--datasets", tmp_path)
    first = run("recipe", *command, "--out", out)
    assert [line.split()[1] for line in first.splitlines() if line.startswith("== ")] == [
        f"training.{step}:" for step in ("train", "ngrams", "export", "calibrate", "export")
    ]
    assert not list((out / "part").iterdir())
    screener = netral.load(out / "model")
    taught = ["partisan_support", "hoax_hate", "hoax_hate", "neutral", "neutral"]
    verdicts = screener.predict_batch(TEXTS)
    assert [(verdict.label, verdict.decided_by) for verdict in verdicts] == [(label, "model") for label in taught]
    assert json.loads((out / "model" / "netral.json").read_text())["version"] == "mine"
    shutil.rmtree(out / "model")
    again = run("recipe", *command, "--out", out)
    assert again.count("== ") == 1
    assert (out / "model" / "netral.json").exists()


@pytest.mark.parametrize("name", ["", "no/such/checkpoint", "nosuchcheckpoint"])
def test_a_checkpoint_that_is_nowhere_is_named(name, monkeypatch):
    from training.checkpoint import find_checkpoint

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(SystemExit, match=name or "no checkpoint"):
        find_checkpoint(name)


def test_labels_of_absent_sources_are_counted(tmp_path):
    from training.prepare import join_texts, text_hash

    pl.DataFrame({"text": ["pilih nomor dua"], "licence_tier": ["A"]}).write_parquet(tmp_path / "here.parquet")
    labels = pl.DataFrame({"source": ["here", "here", "gone"], "key": [text_hash("pilih nomor dua"), "0", "0"]})
    for frame, missing in ((labels, 2), (labels.filter(source="gone"), 1)):
        joined, lost = join_texts(frame, tmp_path)
        assert lost == missing
        assert joined["text"].to_list() == ["pilih nomor dua"][: len(frame) - missing]


def test_a_checkpoint_is_rebuilt_from_what_was_exported(trained, checkpoint, rows, tmp_path):
    run("export", "--checkpoint", trained / "trained", "--out", tmp_path / "int8", "--rows", rows)
    pooling = trained.name.rstrip("0123456789")
    shape = ("--checkpoint", checkpoint, "--pooling", pooling)
    run("restore", "--model", tmp_path / "int8", *shape, "--out", tmp_path / "back")
    before, after = TorchClassifier(trained / "trained"), TorchClassifier(tmp_path / "back")
    for one, two in zip(before.predict(TEXTS), after.predict(TEXTS), strict=True):
        assert one.flags == pytest.approx(two.flags, abs=0.02)


def test_weights_are_averaged_by_their_shares(trained, tmp_path):
    from safetensors.torch import load_file, save_file

    shutil.copytree(trained / "trained", tmp_path / "zero")
    one = load_file(trained / "trained" / "model.safetensors")
    zero = {name: torch.zeros_like(value) for name, value in one.items()}
    save_file(zero, tmp_path / "zero" / "model.safetensors", metadata={"format": "pt"})
    shares = ("--checkpoint", f"{trained / 'trained'}=0.75", "--checkpoint", f"{tmp_path / 'zero'}=0.25")
    run("average", *shares, "--out", tmp_path / "mean")
    mean = load_file(tmp_path / "mean" / "model.safetensors")
    assert set(mean) == set(one)
    assert all(torch.allclose(mean[name], 0.75 * value, atol=1e-6) for name, value in one.items())
    TorchClassifier(tmp_path / "mean").predict(TEXTS)
    with pytest.raises(AssertionError, match="add up to 1"):
        run("average", *shares[:2], "--out", tmp_path / "mean")


def test_dropout_is_shared_by_the_tokens_of_a_post():
    from training.model import SharedDropout

    torch.manual_seed(0)
    out = SharedDropout(0.5)(torch.ones(3, 7, 64))
    assert torch.equal(out, out[:, :1].expand_as(out))
    assert not torch.equal(out[0], out[1])
    assert set(out.unique().tolist()) == {0.0, 2.0}
    assert torch.equal(SharedDropout(0.5).eval()(out), out)


def test_macro_f1_leaves_out_labels_that_stand_nowhere():
    from training.metrics import macro_f1

    truth = np.array([0, 0, 1, 1])
    assert macro_f1(truth, truth) == 1.0
    assert macro_f1(truth, np.array([0, 0, 1, 2])) == pytest.approx((1 + 2 / 3 + 0) / 3)


def test_floors_are_weighted_shares_of_right_hits():
    from netral.decision import Hit
    from training.calibrate import fit_floors

    hits = [(Hit("r", "hate", 0.5, "", 0, 1, 0),)] * 40
    truth, flags = np.zeros((40, 3)), np.zeros((40, 3))
    truth[:10, 1] = 1.0
    weight = np.where(np.arange(40) < 10, 3.0, 1.0)
    floors, caps = fit_floors(hits, flags, truth, dict.fromkeys(FLAGS, 0.5), weight)
    assert (floors, caps) == ({"r": 0.5}, {})


def test_dev_is_weighted_to_the_mix_of_random_posts():
    from training.metrics import gold, labels_of, mix_weights

    def row(split, label, drawn="random"):
        return {"split": split, "drawn": drawn, "partisan": float(label == 1), "hate": float(label == 2), "hoax": 0.0}

    train = [row("train", 1)] * 6 + [row("train", 0)] * 2 + [row("train", 2, "chosen")] * 50
    dev = [row("dev", 1)] + [row("dev", 0)] * 3 + [row("dev", 2, "authored")] * 5
    frame = pl.DataFrame(train + dev + [row("test", 2)] * 9)
    weight, labels = mix_weights(frame), labels_of(gold(frame.filter(pl.col("split") == "dev")))
    assert weight[4:].sum() == pytest.approx(2)  # half of the four real ones, however many were written
    assert weight[:4].sum() == pytest.approx(4)
    assert weight[:4][labels[:4] == 1].sum() / 4 == pytest.approx(7 / 12)


def test_a_forked_process_judges_many_posts(trained):
    import multiprocessing

    classifier = OnnxClassifier(trained / "fp32")
    texts = [" ".join(TEXTS[: 1 + n % 5]) for n in range(40)]
    before = classifier.logits(texts)  # starts threads that the child will not have
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe()
    child = fork.Process(target=lambda: there.send(classifier.logits(texts)), daemon=True)
    child.start()
    assert here.poll(60)
    assert here.recv() == before
    child.join()


def test_a_text_of_too_many_windows_is_cut_and_says_so(trained, monkeypatch):
    classifier = OnnxClassifier(trained / "fp32")
    monkeypatch.setattr("netral.model._WINDOWS", 2)
    short, long = classifier.predict(["pilih nomor dua", "pilih nomor dua " * 100])
    assert (short.truncated, long.truncated) == (False, True)


def test_a_model_that_answers_no_number_is_refused():
    for wrong in (math.nan, -math.inf):  # the highest of windows without a number is the latter
        with pytest.raises(ModelError, match="no number for partisan"):
            calibrate((wrong, 0.0, 0.0), dict.fromkeys(FLAGS, (0.0, 1.0)))


def test_the_speed_benchmark_counts_the_tokens_that_the_model_reads(trained):
    from benchmarks.speed import operations

    text = "@budi PILIH nomor dua https://x.id/abc"
    encoder = OnnxClassifier(trained / "fp32")._encoder
    (read,), (raw,) = encoder.windows(encoder.light(text)), encoder.windows(text)
    assert operations(trained / "fp32", [text])[1] == len(read) < len(raw)

"""What the inference child may cost: one object, never the service."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from qa_daemon.config.settings import WorkerSettings
from qa_daemon.demo.phantom import CtPlan, ct_series, hand_radiograph, part10
from qa_daemon.dicom.header import read_instance
from qa_daemon.dicom.scan import Refused
from qa_daemon.errors import RetryableError
from qa_daemon.limits import MIB, Limits
from qa_daemon.predict.catalog import Catalog, ModelCard, Witness, load_catalog
from qa_daemon.predict.client import Predictor, Request
from qa_daemon.predict.interpreter import Interpreter
from qa_daemon.records.inference import Inference
from qa_daemon.records.prediction import TARGETS, Abstention
from qa_daemon.records.series import Series
from qa_daemon.series.assemble import assemble

ROOT = Path(__file__).resolve().parents[2]
BOTH = Request(("axial_orientation", "body_region"))
#: Long enough for a busy machine; tests of the deadline set their own.
PATIENT = WorkerSettings(decode_deadline_s=60)
SMALL = CtPlan(slices=6, rows=64, columns=64, pixel_spacing_mm=(6.0, 6.0))


class Objects:
    """Objects in memory, as a series and a way to read them."""

    def __init__(self, *contents: bytes, limits: Limits | None = None) -> None:
        bounds = limits or Limits()
        self.contents = {str(at): content for at, content in enumerate(contents)}
        self.series: Series = assemble(
            [read_instance(content, bounds, source=at) for at, content in self.contents.items()]
        )
        self.uids = [instance.sop_instance_uid for instance in self.series.instances]

    def read(self, source: str) -> bytes:
        return self.contents[source]

    def reading(self, act: Callable[[], object]) -> Callable[[str], bytes]:
        """Return `read` that acts before the first object it gives."""
        acts = [act]

        def read(source: str) -> bytes:
            while acts:
                acts.pop()()
            return self.contents[source]

        return read


def stack(plan: CtPlan = SMALL) -> Objects:
    return Objects(*(part10(data_set) for data_set in ct_series(plan)))


def one(data_set: FileDataset, **tags: object) -> Objects:
    for keyword, value in tags.items():
        setattr(data_set, keyword, value)
    return Objects(part10(data_set))


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    found = load_catalog(ROOT / "models")
    assert set(found.cards) >= {"axial_orientation", "body_region"}, found.problems
    return found


@pytest.fixture(scope="module")
def predictor(catalog: Catalog) -> Iterator[Predictor]:
    with Predictor(catalog, PATIENT, Limits()) as made:
        yield made


def reasons(inference: Inference) -> dict[str, Abstention | None]:
    return {
        each.target: each.reason for each in inference.predictions if each.sop_instance_uid is None
    }


def has_ended(pid: int, within_s: float = 20) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], within_s)[0])
    finally:
        os.close(handle)


def test_every_target_gets_an_element_for_the_series(predictor: Predictor) -> None:
    objects = stack()
    found = predictor.infer(
        objects.series, objects.read, Request(("body_part", "axial_orientation", "body_region"))
    )
    assert [each.target for each in found.predictions] == [
        *("body_part", "axial_orientation", "body_region"),
    ]
    assert reasons(found)["body_part"] is Abstention.NOT_APPLICABLE
    orientation, region = (found.of(target) for target in BOTH.targets)
    assert orientation is not None
    assert region is not None
    assert sum(orientation.probabilities.values()) == pytest.approx(1)
    assert orientation.turn is not None
    assert set(region.probabilities) >= {"CHEST", "ABDOMEN"}
    assert found.table_side == "bottom"
    assert found.irregularities == {}


def borrowed(catalog: Catalog, folder: Path) -> Catalog:
    """Return a catalog with a model of every target, the networks being those of other targets."""
    scorer, regions = catalog.cards["axial_orientation"], catalog.cards["body_region"]
    of_labels = evolve(regions, modalities=("DX", "CR"), thresholds={"label": 0.5}, reject=0)
    scored = evolve(scorer, thresholds={"turn": 0.5, "mirror": 0.5})
    cards = {
        "body_part": evolve(of_labels, labels=("HAND", "WRIST", "FOOT", "KNEE", "CHEST", "HIP")),
        "view": evolve(of_labels, labels=("AP", "PA", "LATERAL"), reject=3, copies="mirrored"),
        "image_quality": evolve(of_labels, copies="single"),
        "image_kind": evolve(of_labels, modalities=("CT", "DX")),
        "radiograph_orientation": evolve(
            scored,
            modalities=("DX",),
            witnesses=(Witness(target="body_part", sided=("CHEST",)),),
        ),
        "sagittal_orientation": evolve(scored, modalities=("CT",)),
        "plane": evolve(
            of_labels,
            labels=("axial", "sagittal", "coronal", "oblique"),
            reject=2,
            modalities=("CT",),
            planes=("axial", "sagittal", "coronal"),
        ),
    }
    named = {t: with_golden(evolve(card, id=t, target=t), folder) for t, card in cards.items()}
    return Catalog({**catalog.cards, **named})


def with_golden(card: ModelCard, folder: Path) -> ModelCard:
    inputs = np.random.default_rng(1).standard_normal((2, card.size, card.size)).astype(np.float32)
    golden = folder / f"{card.id}.npz"
    np.savez(golden, inputs=inputs, outputs=Interpreter(card).scores(inputs))
    return evolve(card, golden=golden)


ANSWERED = {
    "DX": {
        "body_part", "chest_opacity", "image_kind", "image_quality", "radiograph_orientation",
        "side_marker", "view",
    },
    "CT": {"axial_orientation", "body_region", "image_kind", "plane", "stack_direction"},
}  # fmt: skip


@pytest.mark.parametrize("modality", ANSWERED)
def test_every_target_that_fits_a_series_is_answered_and_every_other_says_why_not(
    catalog: Catalog, modality: str, tmp_path: Path
) -> None:
    objects = stack() if modality == "CT" else one(hand_radiograph(), Modality="DX")
    asked = Request(tuple(sorted(TARGETS)), per_instance=True)
    with Predictor(borrowed(catalog, tmp_path), PATIENT, Limits()) as predictor:
        found = predictor.infer(objects.series, objects.read, asked)
    assert found.irregularities == {}
    of_series = [each for each in found.predictions if each.sop_instance_uid is None]
    assert [each.target for each in of_series] == sorted(TARGETS)
    answered = {each.target for each in of_series if each.probabilities}
    assert answered == ANSWERED[modality]
    for each in of_series:
        assert (each.reason is None) is (not each.abstained)
        if each.target not in answered:
            assert each.reason in (Abstention.NOT_APPLICABLE, Abstention.MODEL_UNAVAILABLE)
    of_frames = {each.target for each in found.predictions if each.sop_instance_uid is not None}
    assert of_frames == answered - {"stack_direction"}


def test_a_model_that_answers_its_golden_inputs_otherwise_is_refused(catalog: Catalog) -> None:
    other = evolve(catalog.cards["body_region"], copies="averaged")
    objects = stack(evolve(SMALL, slices=1))
    with Predictor(Catalog({"body_region": other}), PATIENT, Limits()) as predictor:
        assert predictor.refused == {}
        found = predictor.infer(objects.series, objects.read, BOTH)
        assert "golden inputs" in predictor.refused[other.name]
    assert set(reasons(found).values()) == {Abstention.MODEL_UNAVAILABLE}


def test_a_shadow_is_asked_apart_and_changes_nothing(catalog: Catalog) -> None:
    region = catalog.cards["body_region"]
    strict = evolve(region, version="9.0.0", thresholds={"label": 1.0})
    with_shadow = evolve(catalog, shadows={"body_region": strict})
    objects = stack(evolve(SMALL, slices=2))
    asked = evolve(BOTH, with_shadows=True)
    with Predictor(catalog, PATIENT, Limits()) as predictor:
        plain = predictor.infer(objects.series, objects.read, asked)
    with Predictor(with_shadow, PATIENT, Limits()) as predictor:
        shadowed = predictor.infer(objects.series, objects.read, asked)
        unasked = predictor.infer(objects.series, objects.read, BOTH)
    assert plain.shadow == ()
    assert unasked == plain
    assert evolve(shadowed, shadow=()) == plain
    # The orientation asks the regions who may speak about the mirror: it changes with them.
    assert {each.target: each.model for each in shadowed.shadow} == {
        "axial_orientation": catalog.cards["axial_orientation"].name,
        "body_region": strict.name,
    }
    assert all(each.sop_instance_uid is None for each in shadowed.shadow)


def test_a_turn_of_the_pixels_turns_the_answer(predictor: Predictor) -> None:
    upright, turned = stack(), stack(evolve(SMALL, turned=2))
    sides = []
    labels = []
    for objects in (upright, turned):
        found = predictor.infer(objects.series, objects.read, BOTH)
        orientation = found.of("axial_orientation")
        assert orientation is not None
        assert orientation.turn is not None
        labels.append(int(orientation.turn.value))
        sides.append(found.table_side)
    assert (labels[0] + 2) % 4 == labels[1]
    assert sides == ["bottom", "top"]


def test_per_instance_adds_every_frame_and_leaves_the_series_as_it_was(
    catalog: Catalog,
) -> None:
    objects = stack()
    with Predictor(catalog, evolve(PATIENT, slices_max=2), Limits()) as predictor:
        plain = predictor.infer(objects.series, objects.read, BOTH)
        every = predictor.infer(objects.series, objects.read, evolve(BOTH, per_instance=True))
    assert every.predictions[:2] == plain.predictions
    frames = every.predictions[2:]
    assert len(frames) == 2 * len(objects.uids)
    assert [each.sop_instance_uid for each in frames[:6]] == objects.uids
    assert {each.frame for each in frames} == {1}


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        (evolve(SMALL, orientation=(1.0, 0.0, 0.0, 0.0, 0.0, -1.0)), Abstention.NOT_AXIAL),
        (evolve(SMALL, tags={"Modality": "PT"}), Abstention.NOT_APPLICABLE),
        (evolve(SMALL, tags={"PixelData": None}), Abstention.NO_PIXELS),
    ],
)
def test_what_cannot_be_asked_says_why_and_asks_no_model(
    predictor: Predictor, plan: CtPlan, reason: Abstention
) -> None:
    objects = stack(plan)
    found = predictor.infer(objects.series, objects.read, BOTH)
    assert reasons(found)["axial_orientation"] is reason
    assert found.table_side is None


def test_without_models_every_target_is_unavailable_and_pixels_are_still_decoded() -> None:
    good, bad = ct_series(evolve(SMALL, slices=2))
    bad.file_meta.TransferSyntaxUID = RLELossless
    bad.PixelData = encapsulate([bytes(100)])
    objects = Objects(part10(good), part10(bad))
    with Predictor(Catalog(), PATIENT, Limits()) as predictor:
        found = predictor.infer(objects.series, objects.read, BOTH)
    assert set(reasons(found).values()) == {Abstention.MODEL_UNAVAILABLE}
    assert {uid: [each.kind for each in kinds] for uid, kinds in found.irregularities.items()} == {
        str(bad.SOPInstanceUID): ["pixels-undecodable"]
    }


def test_a_model_that_does_not_load_is_unavailable_and_the_other_answers(
    catalog: Catalog,
) -> None:
    cards = dict(catalog.cards)
    cards["axial_orientation"] = evolve(cards["axial_orientation"], content=b"no flat buffer")
    objects = stack()
    with Predictor(evolve(catalog, cards=cards), PATIENT, Limits()) as predictor:
        found = predictor.infer(objects.series, objects.read, BOTH)
    assert reasons(found)["axial_orientation"] is Abstention.MODEL_UNAVAILABLE
    assert reasons(found)["body_region"] is not Abstention.MODEL_UNAVAILABLE


def test_radiographs_are_decoded_once_though_no_model_looks(predictor: Predictor) -> None:
    good = one(hand_radiograph())
    found = predictor.infer(good.series, good.read, BOTH)
    assert set(reasons(found).values()) == {Abstention.NOT_APPLICABLE}
    assert found.irregularities == {}
    bad = one(hand_radiograph(), BitsAllocated=16, Rows=0)
    found = predictor.infer(bad.series, bad.read, BOTH)
    noted = {each.kind for each in bad.series.instances[0].irregularities}
    told = {each.kind for kinds in found.irregularities.values() for each in kinds}
    assert "pixel-attributes" in noted | told
    assert not noted & told, "what the scan found is not said twice"


def test_video_is_left_alone(predictor: Predictor) -> None:
    data_set = hand_radiograph()
    objects = one(data_set)
    (instance,) = objects.series.instances
    video = evolve(instance, transfer_syntax_uid="1.2.840.10008.1.2.4.102")
    found = predictor.infer(evolve(objects.series, instances=(video,)), objects.read, BOTH)
    assert found.irregularities == {}


def test_of_a_large_series_only_sampled_instances_are_read(catalog: Catalog) -> None:
    objects = stack(evolve(SMALL, slices=9, rows=16, columns=16))
    read: list[str] = []

    def noted(source: str) -> bytes:
        read.append(source)
        return objects.read(source)

    with Predictor(catalog, evolve(PATIENT, slices_max=3), Limits()) as predictor:
        predictor.infer(objects.series, noted, BOTH)
    assert len(read) == 3


def test_a_child_killed_in_the_middle_costs_that_object_only(catalog: Catalog) -> None:
    objects = stack()
    with Predictor(catalog, PATIENT, Limits()) as predictor:
        predictor.infer(objects.series, objects.read, BOTH)
        pid = predictor.child_pid
        assert pid is not None

        def stop_then_kill() -> None:
            os.kill(pid, signal.SIGSTOP)  # so that it dies over the question, not before it
            Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()

        found = predictor.infer(objects.series, objects.reading(stop_then_kill), BOTH)
        assert has_ended(pid)
        assert predictor.child_pid not in (None, pid)
    ((uid, (noted,)),) = found.irregularities.items()
    assert uid in objects.uids
    assert noted.kind == "pixels-undecodable"
    assert "SIGKILL" in noted.message
    assert reasons(found)["body_region"] is not Abstention.LIMIT  # five slices are left


def test_a_child_that_hangs_is_killed_at_the_deadline(catalog: Catalog) -> None:
    objects = stack(evolve(SMALL, slices=1))
    with Predictor(catalog, evolve(PATIENT, decode_deadline_s=5.0), Limits()) as predictor:
        predictor.infer(objects.series, objects.read, BOTH)
        pid = predictor.child_pid
        assert pid is not None
        began = monotonic()
        hung = objects.reading(lambda: os.kill(pid, signal.SIGSTOP))
        found = predictor.infer(objects.series, hung, BOTH)
        assert 5 <= monotonic() - began < 15
        assert has_ended(pid)
        assert set(reasons(found).values()) == {Abstention.LIMIT}
        assert "limit of time: 5 s" in found.irregularities[objects.uids[0]][0].message
        again = predictor.infer(objects.series, objects.read, BOTH)
        assert Abstention.LIMIT not in reasons(again).values()


def test_a_child_killed_between_two_series_is_replaced_in_silence(catalog: Catalog) -> None:
    objects = stack(evolve(SMALL, slices=1))
    with Predictor(catalog, PATIENT, Limits()) as predictor:
        first = predictor.infer(objects.series, objects.read, BOTH)
        pid = predictor.child_pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert has_ended(pid)
        assert predictor.infer(objects.series, objects.read, BOTH) == first


def test_an_object_beyond_the_memory_of_the_child_is_a_limit(catalog: Catalog) -> None:
    data_set = ct_series(evolve(SMALL, slices=1))[0]
    data_set.Rows = data_set.Columns = 5000
    data_set.PixelData = np.zeros((5000, 5000), "<u2").tobytes()
    objects = Objects(part10(data_set))
    worker = evolve(PATIENT, child_memory_bytes=64 * MIB)
    with Predictor(catalog, worker, Limits()) as predictor:
        found = predictor.infer(objects.series, objects.read, BOTH)
        assert set(reasons(found).values()) == {Abstention.LIMIT}
        assert "limit of memory" in found.irregularities[objects.uids[0]][0].message
        small = stack(evolve(SMALL, slices=1))
        after = predictor.infer(small.series, small.read, BOTH)
    assert Abstention.LIMIT not in reasons(after).values()


def test_an_object_larger_than_the_limit_is_not_even_sent(catalog: Catalog) -> None:
    objects = stack(evolve(SMALL, slices=1))
    limits = evolve(Limits(), inference_object_bytes_max=1000)
    with Predictor(catalog, PATIENT, limits) as predictor:
        found = predictor.infer(objects.series, objects.read, BOTH)
        assert predictor.child_pid is None
    assert set(reasons(found).values()) == {Abstention.LIMIT}


def test_a_child_that_cannot_start_is_for_time_to_mend(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = stack(evolve(SMALL, slices=1))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with (
        Predictor(catalog, PATIENT, Limits()) as predictor,
        pytest.raises(RetryableError, match="does not start"),
    ):
        predictor.infer(objects.series, objects.read, BOTH)


def test_the_child_ends_with_the_block(catalog: Catalog) -> None:
    objects = stack(evolve(SMALL, slices=1))
    with Predictor(catalog, PATIENT, Limits()) as predictor:
        predictor.infer(objects.series, objects.read, BOTH)
        pid = predictor.child_pid
    assert pid is not None
    assert predictor.child_pid is None
    assert has_ended(pid)


ORPHAN = """
import os, signal, sys
from pathlib import Path
from qa_daemon.config.settings import WorkerSettings
from qa_daemon.limits import Limits
from qa_daemon.predict.catalog import Catalog
from qa_daemon.predict.client import Predictor
predictor = Predictor(Catalog(), WorkerSettings(), Limits())
predictor._child.started()
print(predictor.child_pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_child_dies_with_its_parent() -> None:
    parent = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", ORPHAN], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert parent.returncode == -signal.SIGKILL
    assert has_ended(int(parent.stdout))


def test_the_child_is_shut_in(predictor: Predictor) -> None:
    objects = stack(evolve(SMALL, slices=1))
    predictor.infer(objects.series, objects.read, BOTH)
    pid = predictor.child_pid
    limits = Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
    held = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()}
    assert held["Max open files"] == "0"
    assert held["Max core file size"] == "0"
    assert int(held["Max address space"]) > PATIENT.child_memory_bytes
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        target = str(descriptor.readlink())
        assert target.startswith("socket:") or target == os.devnull
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"QA_DAEMON" not in environment
    assert b"HOME=" not in environment


def resident_kib(pid: int | None, what: str = "VmRSS") -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1])
    raise AssertionError(what)


def test_the_child_does_not_grow_over_many_series(predictor: Predictor) -> None:
    objects = stack(evolve(SMALL, slices=1))
    sizes = []
    for _ in range(3):
        for _ in range(60):
            predictor.infer(objects.series, objects.read, BOTH)
        sizes.append(resident_kib(predictor.child_pid))
    assert sizes[2] - sizes[0] < 4096


def test_every_published_image_passes_through_the_child(
    predictor: Predictor, published_contents: Mapping[str, bytes]
) -> None:
    limits, undecodable = Limits(), {}
    for name, content in published_contents.items():
        try:
            objects = Objects(content, limits=limits)
        except Refused:
            continue
        found = predictor.infer(objects.series, objects.read, BOTH)
        for noted in (each for kinds in found.irregularities.values() for each in kinds):
            assert "failed" not in noted.message, name
            assert "limit" not in noted.message, name
            if noted.kind == "pixels-undecodable":
                undecodable[name] = noted.message
    assert set(undecodable) == {"JPEG2000-embedded-sequence-delimiter.dcm"}
    assert resident_kib(predictor.child_pid, "VmHWM") < 1_000_000


@pytest.mark.shared
def test_hostile_pixels_are_found_in_time_and_memory(
    catalog: Catalog, shared_data: Path, tmp_path: Path
) -> None:
    script = shared_data / "nasty" / "make_nasty.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, capture_output=True)  # noqa: S603  the corpus writes itself
    cases: list[Mapping[str, Any]] = json.loads((tmp_path / "manifest.json").read_text())["cases"]
    with Predictor(catalog, WorkerSettings(), Limits()) as predictor:
        asked = [case for case in cases if case["group"] in ("px", "trunc", "mf", "valid")]
        for case in asked:
            _ask_hostile(predictor, case, tmp_path)
        assert resident_kib(predictor.child_pid, "VmHWM") < 1_000_000
    assert len(asked) > 80


def _ask_hostile(predictor: Predictor, case: Mapping[str, Any], folder: Path) -> None:
    if not isinstance(case["file"], str):
        return
    try:
        objects = Objects((folder / case["file"]).read_bytes())
    except Refused:
        return
    began = monotonic()
    found = predictor.infer(objects.series, objects.read, BOTH)
    assert monotonic() - began < 5, case["id"]
    told = {each.kind for kinds in found.irregularities.values() for each in kinds}
    noted = {each.kind for each in objects.series.instances[0].irregularities}
    expected = case["check"]
    if expected["outcome"] == "accept":
        assert not told, case["id"]
    elif expected["kind"] == "pixels-undecodable":
        assert "pixels-undecodable" in told | noted, case["id"]

"""Rules and models are found, whichever folder the daemon was started in."""

from pathlib import Path

import pytest

from qa_daemon.config.given import FaultyConfigurationError
from qa_daemon.config.packs import RULE_BYTES_MAX, models_folder, rule_texts, shipped
from qa_daemon.config.settings import ModelSettings, RuleSettings, Settings


def only(*folders: Path) -> Settings:
    return Settings(rules=RuleSettings(shipped=False, folders=folders))


def test_what_is_shipped_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("rules", "models", "service.yaml"):
        assert shipped(name).exists()


def test_rules_of_the_site_follow_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("id: X-1\n")
    texts = rule_texts(Settings(rules=RuleSettings(folders=(tmp_path,))))
    assert list(texts)[-1] == f"{tmp_path}/mine.yaml"
    assert texts[f"{tmp_path}/mine.yaml"] == "id: X-1\n"
    assert all(name.startswith("rules/") for name in list(texts)[:-1])


def test_rules_lie_in_sub_folders_and_hidden_ones_are_left_out(tmp_path: Path) -> None:
    for name in ("b/z.yaml", "b/a.yml", "a.yaml", ".git/c.yaml", "b/.d.yaml", "b/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    names = [name.removeprefix(f"{tmp_path}/") for name in rule_texts(only(tmp_path))]
    assert names == ["a.yaml", "b/a.yml", "b/z.yaml"]


def test_every_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "b.yaml").write_bytes(b"#" * (RULE_BYTES_MAX + 1))
    (tmp_path / "c.yaml").symlink_to(tmp_path / "absent")
    (tmp_path / "d.yaml").write_text("id: X-1")
    with pytest.raises(FaultyConfigurationError) as caught:
        rule_texts(only(tmp_path, tmp_path / "nowhere"))
    assert str(caught.value).replace(str(tmp_path), "").splitlines() == [
        "/a.yaml: is not UTF-8",
        f"/b.yaml: is larger than {RULE_BYTES_MAX} bytes",
        "/c.yaml: cannot be read: No such file or directory",
        "/nowhere: is no folder; mend rules.folders in service.yaml",
    ]


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa_daemon.config.packs.RULE_FILES_MAX", 1)
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("")
    with pytest.raises(FaultyConfigurationError, match="more than 1 rule files"):
        rule_texts(only(tmp_path))


def test_models_are_the_shipped_ones_unless_the_site_says_otherwise() -> None:
    assert models_folder(Settings()) == shipped("models")
    elsewhere = Settings(models=ModelSettings(folder=Path("/m")))
    assert models_folder(elsewhere) == Path("/m")

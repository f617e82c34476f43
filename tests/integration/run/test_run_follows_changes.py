"""What changes in the files is served, and what is wrong with them is not."""

import asyncio
import signal
import time
from pathlib import Path

from doubles.behaviours import text
from doubles.running import PATIENCE, Sluice, route, running, until
from doubles.scripted import Scripted


async def served(sluice: Sluice, model: str) -> bool:
    """Whether a model name is answered."""
    listed = await sluice.client.get(sluice.url + "/v1/models")
    return model in [entry["id"] for entry in listed.json()["data"]]


async def seconds_until_served(sluice: Sluice, model: str) -> float:
    began = time.monotonic()
    while not await served(sluice, model):
        assert time.monotonic() - began < PATIENCE, sluice.said
        await asyncio.sleep(0.01)
    return time.monotonic() - began


async def arrive(answers: list[str], after: int, word: str) -> None:
    await until(lambda: word in answers[after:], f"{word} answers")


async def test_changes_under_load_lose_no_request_and_mix_no_configuration(tmp_path: Path) -> None:
    """Two upstreams say their names: every answer is one's or the other's, and after each change only the new one's."""
    file = tmp_path / "kinds.yaml"
    async with Scripted().otherwise(text("old")) as old, Scripted().otherwise(text("new")) as new:
        file.write_text(route(old.url))
        async with running(tmp_path) as sluice:
            answers: list[str] = []
            stop = False

            async def load() -> None:
                while not stop:
                    answer = await sluice.ask()
                    assert answer.status_code == 200, answer.text
                    answers.append(answer.json()["choices"][0]["message"]["content"])

            callers = [asyncio.create_task(load()) for _ in range(4)]
            await until(lambda: len(answers) > 20, "the load runs")
            for up, word in ((new, "new"), (old, "old"), (new, "new")):
                file.write_text(route(up.url))
                since = len(answers)
                await arrive(answers, since, word)
                first = answers.index(word, since)
                await arrive(answers, first + 12, word)
                # Answers that were on their way come in with the first new ones; after them none is old.
                assert set(answers[first + 8 :]) == {word}
            stop = True
            await asyncio.gather(*callers)
            assert set(answers) == {"old", "new"}


async def test_a_change_is_live_within_a_second(tmp_path: Path) -> None:
    file = tmp_path / "kinds.yaml"
    file.write_text(route("http://127.0.0.1:9/v1"))
    async with running(tmp_path) as sluice:
        took = []
        for name in ("second", "third", "fourth"):
            file.with_suffix(".swp").write_text(file.read_text() + route("http://127.0.0.1:9/v1", name, model=name))
            file.with_suffix(".swp").rename(file)
            took.append(await seconds_until_served(sluice, name))
        assert min(took) < 1.0
        await sluice.hears("applied in .*: route fourth new")


async def test_an_invalid_change_is_told_and_what_was_served_stays(tmp_path: Path) -> None:
    file = tmp_path / "kinds.yaml"
    async with Scripted().otherwise(text("still here")) as up:
        file.write_text(route(up.url))
        async with running(tmp_path) as sluice:
            file.write_text(route(up.url).replace("backends", "backnds"))
            await sluice.hears(r"(?s)refused, what was served before stays:\n.*kinds\.yaml:6: .*backends")
            assert (await sluice.ask()).status_code == 200
            file.write_text("")
            await sluice.hears("empty")
            assert (await sluice.ask()).status_code == 200
            file.unlink()
            await sluice.hears("cannot be read")
            assert (await sluice.ask()).status_code == 200
            file.write_text(route(up.url) + route(up.url, "more", model="more"))
            await seconds_until_served(sluice, "more")


async def test_a_new_file_in_a_folder_and_a_hangup_are_heeded(tmp_path: Path) -> None:
    folder = tmp_path / "kinds"
    folder.mkdir()
    (folder / "a.yaml").write_text(route("http://127.0.0.1:9/v1"))
    async with running(tmp_path, files=("kinds",)) as sluice:
        (folder / "b.yaml").write_text(route("http://127.0.0.1:9/v1", "b", model="b"))
        await seconds_until_served(sluice, "b")
        sluice.process.send_signal(signal.SIGHUP)
        await sluice.hears("nothing differs")
        assert await served(sluice, "b")
        (folder / "b.yaml").unlink()
        await sluice.hears("route b gone")


async def test_a_secret_that_changes_in_the_env_file_is_used_from_then_on(tmp_path: Path) -> None:
    async with Scripted().otherwise(text("ok")) as up:
        (tmp_path / "kinds.yaml").write_text(route(up.url, more=", apiKey: {secret: up, key: token}"))
        (tmp_path / ".env").write_text("SLUICE_SECRET_UP_TOKEN=first\n")
        async with running(tmp_path) as sluice:
            await sluice.ask()
            assert up.requests[-1].headers["authorization"] == "Bearer first"
            (tmp_path / ".env").write_text("SLUICE_SECRET_UP_TOKEN=second-value\n")
            began = time.monotonic()
            while up.requests[-1].headers["authorization"] != "Bearer second-value":
                assert time.monotonic() - began < PATIENCE
                assert (await sluice.ask()).status_code == 200
            assert "second-value" not in sluice.said
            for file in (tmp_path / ".sluice").rglob("*"):
                assert not file.is_file() or b"second-value" not in file.read_bytes()

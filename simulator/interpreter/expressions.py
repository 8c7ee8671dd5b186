"""The part of JSONata that the definition files use, and nothing beyond it.

Paths from a variable, literals, comparisons, `and`, `or`, `+` and `-`. Anything else is refused
when a definition is loaded, so that no expression is ever half understood.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Scope = Mapping[str, Any]
"""Variable names, without their dollar sign, to JSON values; `states` among them."""
Evaluate = Callable[[Scope], Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<variable>\$[A-Za-z_][A-Za-z0-9_]*)|(?P<number>\d+(?:\.\d+)?)"
    r"|'(?P<single>[^'\\]*)'|\"(?P<double>[^\"\\]*)\""
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign><=|>=|!=|[=<>+\-().]))"
)
_ORDERINGS = {"<", "<=", ">", ">="}
_WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None}
DELIMITERS = ("{%", "%}")


class _Undefined:
    """JSONata's nothing: what a path that leads nowhere gives."""

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED = _Undefined()


class FeatureRefused(ValueError):
    """Raised at load for what this interpreter does not implement."""


class QueryFailed(Exception):
    """Raised where an expression has no value; Step Functions calls it QueryEvaluationError."""


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def compiled(value: Any) -> Evaluate:
    """Compile a JSON value whose texts between {% and %} are expressions.

    Raises FeatureRefused where an expression goes beyond the part that is implemented.
    """
    if isinstance(value, str) and value.startswith(DELIMITERS[0]):
        if not value.endswith(DELIMITERS[1]):
            raise FeatureRefused(f"an expression is not closed: {value!r}")
        return _defined(value, _Parser(value[2:-2]).whole())
    if isinstance(value, dict):
        fields = {name: compiled(part) for name, part in value.items()}
        return lambda scope: {name: part(scope) for name, part in fields.items()}
    if isinstance(value, list):
        parts = [compiled(part) for part in value]
        return lambda scope: [part(scope) for part in parts]
    return lambda _: value


def _defined(text: str, expression: Evaluate) -> Evaluate:
    def evaluate(scope: Scope) -> Any:
        value = expression(scope)
        if value is UNDEFINED:
            raise QueryFailed(f"{text} has no value")
        return value

    return evaluate


class _Parser:
    """Read one expression by precedence: or, and, comparison, sum, operand."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._at = 0

    def whole(self) -> Evaluate:
        found = self._any_of()
        if self._at != len(self._tokens):
            raise self._refusal()
        return found

    def _any_of(self) -> Evaluate:
        left = self._all_of()
        while self._takes("name", "or"):
            left = _either(left, self._all_of())
        return left

    def _all_of(self) -> Evaluate:
        left = self._comparison()
        while self._takes("name", "and"):
            left = _both(left, self._comparison())
        return left

    def _comparison(self) -> Evaluate:
        left = self._sum()
        for sign in ("=", "!=", *_ORDERINGS):
            if self._takes("sign", sign):
                return _compared(sign, left, self._sum())
        return left

    def _sum(self) -> Evaluate:
        left = self._operand()
        while True:
            if self._takes("sign", "+"):
                left = _added(left, self._operand(), 1)
            elif self._takes("sign", "-"):
                left = _added(left, self._operand(), -1)
            else:
                return left

    def _operand(self) -> Evaluate:
        token = self._next()
        if token.kind == "number":
            number = float(token.text) if "." in token.text else int(token.text)
            return lambda _: number
        if token.kind in {"single", "double"}:
            return lambda _: token.text
        if token.kind == "name" and token.text in _WORDS:
            return lambda _: _WORDS[token.text]
        if token.kind == "variable":
            return self._path(token.text[1:])
        if token == _Token("sign", "("):
            inner = self._any_of()
            if not self._takes("sign", ")"):
                raise self._refusal()
            return inner
        raise self._refusal()

    def _path(self, variable: str) -> Evaluate:
        names: list[str] = []
        while self._takes("sign", "."):
            token = self._next()
            if token.kind != "name":
                raise self._refusal()
            names.append(token.text)
        return _at_path(variable, tuple(names))

    def _next(self) -> _Token:
        if self._at == len(self._tokens):
            raise self._refusal()
        self._at += 1
        return self._tokens[self._at - 1]

    def _takes(self, kind: str, text: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] == _Token(kind, text)
        self._at += found
        return found

    def _refusal(self) -> FeatureRefused:
        return FeatureRefused(f"not implemented in an expression: {self._text.strip()!r}")


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    rest = text.rstrip()
    at = 0
    while at < len(rest):
        match = _TOKEN.match(rest, at)
        if match is None or match.lastgroup is None:
            raise FeatureRefused(f"not implemented in an expression: {text.strip()!r}")
        tokens.append(_Token(match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return tokens


def _at_path(variable: str, names: tuple[str, ...]) -> Evaluate:
    def evaluate(scope: Scope) -> Any:
        value = scope.get(variable, UNDEFINED)
        for name in names:
            value = value.get(name, UNDEFINED) if isinstance(value, dict) else UNDEFINED
        return value

    return evaluate


def _either(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda scope: _truth(left(scope)) or _truth(right(scope))


def _both(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda scope: _truth(left(scope)) and _truth(right(scope))


def _truth(value: Any) -> bool:
    return value is not UNDEFINED and bool(value)


def _compared(sign: str, left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(scope: Scope) -> Any:
        one, other = left(scope), right(scope)
        is_equality = sign in {"=", "!="}
        if one is UNDEFINED or other is UNDEFINED:
            return False if is_equality else UNDEFINED
        if is_equality:
            same = _kind(one) == _kind(other) and bool(one == other)
            return same if sign == "=" else not same
        if _kind(one) != _kind(other) or _kind(one) not in {"number", "text"}:
            raise QueryFailed(f"{one!r} and {other!r} have no order")
        order = int(one > other) - int(one < other)
        return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[sign]

    return evaluate


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else type(value).__name__


def _added(left: Evaluate, right: Evaluate, sign: int) -> Evaluate:
    def evaluate(scope: Scope) -> Any:
        one, other = left(scope), right(scope)
        if one is UNDEFINED or other is UNDEFINED:
            return UNDEFINED
        if _kind(one) != "number" or _kind(other) != "number":
            raise QueryFailed(f"{one!r} and {other!r} cannot be added")
        return one + sign * other

    return evaluate

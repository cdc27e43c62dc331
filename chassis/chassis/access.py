"""Who calls and what he may do.

The gateway exchanges a session for a short-lived internal token that carries the whole principal, signed; services
read nothing else. A role grants, per resource and verb, a scope: own, team or all. The scope compiles to SQL
criteria, hidden fields to response masks.
"""

from __future__ import annotations

import enum
import hashlib
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from google.protobuf.message import Message

from chassis import clock
from chassis.errors import Denied, Invalid, unauthenticated

# PyJWT loads `cryptography` wherever it is installed: 9 MB of each process for algorithms that no token of ours has.
if "cryptography" in sys.modules:
    import jwt
else:
    sys.modules["cryptography"] = None  # type: ignore[assignment]
    import jwt

    del sys.modules["cryptography"]

AUDIENCE = "dealwright-internal"


class Scope(enum.IntEnum):
    NONE = 1
    OWN = 2
    TEAM = 3
    ALL = 4


VERBS = ("read", "write", "delete", "export")


@dataclass(frozen=True)
class Grant:
    """The rights of a role on one resource."""

    read: Scope = Scope.NONE
    write: Scope = Scope.NONE
    delete: Scope = Scope.NONE
    export: Scope = Scope.NONE
    hidden: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()


_NO_GRANT = Grant()


@dataclass(frozen=True)
class Principal:
    """The caller. `person` is "people/..." or empty (anonymous, or a service when `peer`)."""

    person: str = ""
    role: str = ""
    team: str = ""
    teams: tuple[str, ...] = ()
    grants: Mapping[str, Grant] = field(default_factory=dict)
    session: str = ""
    peer: str = ""

    @property
    def actor(self) -> str:
        return self.person or (f"services/{self.peer}" if self.peer else "anonymous")

    def grant(self, resource: str) -> Grant:
        return self.grants.get(resource, _NO_GRANT)

    def scope(self, resource: str, verb: str) -> Scope:
        if self.peer:
            return Scope.ALL
        scope: Scope = getattr(self.grant(resource), verb)
        return scope

    def require(self, resource: str, verb: str) -> Scope:
        """The scope of the right; raises Denied, naming the right, where there is none."""
        scope = self.scope(resource, verb)
        if scope is Scope.NONE:
            raise Denied(f"{resource}.{verb}")
        return scope


ANONYMOUS = Principal()


def peer(service: str) -> Principal:
    """The principal of a service that calls another on its own behalf."""
    return Principal(peer=service)


def claims(principal: Principal) -> dict[str, Any]:
    """The principal as plain data."""
    return {
        "sub": principal.person,
        "role": principal.role,
        "team": principal.team,
        "teams": list(principal.teams),
        "session": principal.session,
        "peer": principal.peer,
        "grants": {
            r: [*(int(getattr(g, v)) for v in VERBS), sorted(g.hidden), sorted(g.read_only)]
            for r, g in principal.grants.items()
        },
    }


def claimed(plain: Mapping[str, Any]) -> Principal:
    """The principal that `claims` wrote down. Raises LookupError, AttributeError, ValueError, TypeError."""
    return Principal(
        person=plain["sub"],
        role=plain["role"],
        team=plain["team"],
        teams=tuple(plain["teams"]),
        session=plain["session"],
        peer=plain["peer"],
        grants={
            r: Grant(Scope(g[0]), Scope(g[1]), Scope(g[2]), Scope(g[3]), frozenset(g[4]), frozenset(g[5]))
            for r, g in plain["grants"].items()
        },
    )


class Tokens:
    """Signs and reads internal tokens (HS256, one key per deployment). Reading caches by token until it expires."""

    def __init__(self, key: str, lifetime: float = 300.0) -> None:
        if len(key) < 32:
            raise ValueError("DEALWRIGHT_TOKEN_KEY needs at least 32 characters")
        self._key = key
        self._digest_key = hashlib.sha256(key.encode()).digest()
        self._lifetime = lifetime
        self._seen: dict[str, tuple[float, Principal]] = {}
        self._lock = threading.Lock()

    def sign(self, principal: Principal) -> str:
        expires = int(clock.now().timestamp() + self._lifetime)
        return jwt.encode({"aud": AUDIENCE, "exp": expires, **claims(principal)}, self._key, algorithm="HS256")

    def fingerprint(self, data: bytes) -> bytes:
        """16 bytes by which a request is known again. Keyed: a request may hold a password, and a plain hash of one
        can be guessed."""
        return hashlib.blake2b(data, digest_size=16, key=self._digest_key).digest()

    def read(self, token: str) -> Principal:
        """Raises Refused UNAUTHENTICATED for a token that is forged, expired or not ours."""
        now = clock.now().timestamp()
        known = self._seen.get(token)
        if known and known[0] > now:
            return known[1]
        try:
            # PyJWT would compare with a clock of its own: a token ends by the clock that it was signed by.
            payload = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                audience=AUDIENCE,
                options={"require": ["exp", "aud"], "verify_exp": False},
            )
            expires = float(payload["exp"])
            if not expires > now:
                raise jwt.ExpiredSignatureError
            principal = claimed(payload)
        except (jwt.PyJWTError, LookupError, AttributeError, ValueError, TypeError) as problem:
            raise unauthenticated(
                "The token is not valid or has expired; sign in again.", "令牌无效或已过期，请重新登录。"
            ) from problem
        with self._lock:
            if len(self._seen) > 10_000:
                self._seen.clear()
            self._seen[token] = (expires, principal)
        return principal


def visible(
    principal: Principal,
    scope: Scope,
    owner: sa.ColumnElement[Any],
    people: sa.Table,
) -> sa.ColumnElement[bool]:
    """SQL criteria for rows that the scope covers. `people` is the service's local copy with columns name and team."""
    if scope is Scope.ALL:
        return sa.true()
    if not principal.person:
        return sa.false()  # nobody does not own what has no owner
    if scope is Scope.TEAM:
        members = sa.select(people.c.name).where(people.c.team.in_(principal.teams or ("",)))
        return sa.or_(owner == principal.person, owner.in_(members))
    if scope is Scope.OWN:
        return owner == principal.person
    return sa.false()


def refuse_read_only(principal: Principal, resource: str, paths: Sequence[str]) -> None:
    """Raises Denied for a field the role may not change, and Invalid for one it may not even see."""
    grant = principal.grant(resource)
    for path in paths:
        head = path.split(".", 1)[0]
        if head in grant.hidden:
            raise Invalid([(path, "there is no such field for your role", "您的角色没有该字段")])
        if head in grant.read_only:
            raise Denied(f"{resource}.{head}.write")


# --- masks ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a message says of its masks: the resource whose rights count, and for the name of a field all those that it
    hides."""

    resource: str
    hides: Mapping[str, tuple[str, ...]]

    @staticmethod
    def of(descriptor: Any) -> _Kind:
        from dealwright.api.v1 import access_pb2

        hides: dict[str, tuple[str, ...]] = {}
        for part in descriptor.fields:
            with_it = part.GetOptions().Extensions[access_pb2.hidden_with]
            for name in (part.name, *((with_it,) if with_it else ())):
                hides[name] = (*hides.get(name, ()), part.name)
        return _Kind(descriptor.GetOptions().Extensions[access_pb2.resource], hides)


_kinds: dict[str, _Kind] = {}


def _kind(descriptor: Any) -> _Kind:
    kind = _kinds.get(descriptor.full_name)
    if kind is None:
        kind = _kinds[descriptor.full_name] = _Kind.of(descriptor)
    return kind


def hidden(principal: Principal, message: Message) -> set[str]:
    """The fields of this message itself that the caller's role does not show."""
    kind = _kind(message.DESCRIPTOR)
    if not kind.resource:
        return set()
    return {name for hides in principal.grant(kind.resource).hidden for name in kind.hides.get(hides, ())}


def mask(principal: Principal, message: Message) -> None:
    """Clears the hidden fields of every resource in an answer, in place."""
    if not any(g.hidden for g in principal.grants.values()):
        return
    _mask(principal, message)


def _mask(principal: Principal, message: Message) -> None:
    for name in hidden(principal, message):
        message.ClearField(name)
    for part, value in message.ListFields():
        if part.message_type is None or part.message_type.full_name.startswith("google.protobuf."):
            continue
        if part.message_type.GetOptions().map_entry:
            continue
        if part.is_repeated:
            for item in value:
                _mask(principal, item)
        else:
            _mask(principal, value)

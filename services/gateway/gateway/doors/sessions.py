"""Who calls: a session's token is exchanged at the directory for a principal, and that for a signed internal token."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

import grpc.aio

from chassis import clock
from chassis.access import Grant, Principal, Scope, Tokens, peer
from chassis.errors import unauthenticated
from dealwright.directory.v1 import directory_pb2
from gateway.peers.channels import Channels

_PATH = "/dealwright.directory.v1.DirectoryService/ResolveSession"
_MOST = 10_000
_PEER_TOKEN_LIVES = 120.0
_LONGEST_TOKEN = 512


@dataclass(frozen=True)
class Until:
    """On both clocks: how long an answer counts is a duration, and a token ends by the clock that it was signed by,
    which may be set forward."""

    monotonic: float
    moment: float

    @classmethod
    def after(cls, seconds: float) -> Until:
        return cls(clock.monotonic() + seconds, clock.now().timestamp() + seconds)

    @property
    def over(self) -> bool:
        return self.monotonic <= clock.monotonic() or self.moment <= clock.now().timestamp()


@dataclass(frozen=True)
class Caller:
    """`token` is the internal one."""

    principal: Principal
    token: str
    until: Until


def principal_of(message: directory_pb2.Principal) -> Principal:
    return Principal(
        person=message.person,
        role=message.role,
        team=message.team,
        teams=tuple(message.teams),
        session=message.session,
        grants={
            g.resource: Grant(
                read=_scope(g.read),
                write=_scope(g.write),
                delete=_scope(g.delete),
                export=_scope(g.export),
                hidden=frozenset(g.hidden_fields),
                read_only=frozenset(g.read_only_fields),
            )
            for g in message.grants
        },
    )


def _scope(number: int) -> Scope:
    return Scope(number) if number else Scope.NONE


class Sessions:
    """Keeps each answer for as long as the directory allows, `longest` at most. Whatever ends or changes a session is
    heard of sooner than that (`drop`), while Redis is there."""

    def __init__(self, channels: Channels, tokens: Tokens, longest: float, seconds: float) -> None:
        self._channels = channels
        self._tokens = tokens
        self._longest = longest
        self._seconds = seconds
        self._known: dict[str, Caller] = {}
        self._asked: dict[str, asyncio.Task[Caller]] = {}
        self._drops = 0
        self._peer = ("", Until(0.0, 0.0))

    async def resolve(self, token: str) -> Caller:
        """Raises Refused UNAUTHENTICATED, or AioRpcError when the directory is away."""
        known = self._known.get(token)
        if known is not None and not known.until.over:
            return known
        if not token or len(token) > _LONGEST_TOKEN or not token.isascii() or not token.isprintable():
            raise unauthenticated()
        task = self._asked.get(token)
        if task is None:  # many calls of one session ask once
            task = self._asked[token] = asyncio.ensure_future(self._ask(token))
            task.add_done_callback(lambda _: self._asked.pop(token, None))
        return await asyncio.shield(task)

    def forget(self, token: str) -> None:
        self._known.pop(token, None)

    def drop(self, people: Collection[str]) -> None:
        """What is known of these people is not true any more; of everybody where nobody is named."""
        self._drops += 1
        if not people:
            self._known.clear()
        for token in [token for token, caller in self._known.items() if caller.principal.person in people]:
            del self._known[token]

    async def _ask(self, token: str) -> Caller:
        self._known.pop(token, None)
        drops = self._drops
        request = directory_pb2.ResolveSessionRequest(token=token).SerializeToString()
        metadata = (("authorization", f"Bearer {self.peer_token()}"),)
        try:
            answer = await self._channels.call("directory", _PATH, request, metadata, self._seconds, again=True)
        except grpc.aio.AioRpcError as error:
            if error.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.NOT_FOUND):
                raise unauthenticated("The session has ended; sign in again.", "会话已结束，请重新登录。") from error
            raise
        resolved = directory_pb2.ResolveSessionResponse.FromString(answer)
        principal = principal_of(resolved.principal)
        seconds = self._longest
        if resolved.HasField("cache_for"):
            seconds = min(seconds, resolved.cache_for.seconds + resolved.cache_for.nanos / 1e9)
        if resolved.HasField("expire_time"):
            seconds = min(seconds, resolved.expire_time.seconds - clock.now().timestamp())
        caller = Caller(principal, self._tokens.sign(principal), Until.after(seconds))
        if len(self._known) >= _MOST:
            self._known.clear()
        if drops == self._drops:  # else the answer may be older than what was heard meanwhile
            self._known[token] = caller
        return caller

    def peer_token(self) -> str:
        """The gateway's own internal token."""
        token, until = self._peer
        if until.over:
            token = self._tokens.sign(peer("gateway"))
            self._peer = (token, Until.after(_PEER_TOKEN_LIVES))
        return token

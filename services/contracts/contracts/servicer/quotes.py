"""QuoteService."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from functools import lru_cache
from typing import Any

import structlog

from chassis import arrivals, records, typeset
from chassis.errors import Refused
from chassis.nouns import refuse_unwritable
from chassis.rpc import Call, command, outside, query
from chassis.service import Runtime
from chassis.settings import embedded_token_key
from chassis.transaction import Transaction
from contracts.servicer.shelf import ShelfMethods
from contracts.usecases import papers, parties, quote_links, quote_moves, quotes
from contracts.usecases.quotes import QUOTES
from contracts.wire import paper, quote_reading
from contracts.wire import quote_messages as messages
from contracts.wire import shelf_reading as reading
from dealwright.api.v1.file_pb2 import File
from dealwright.contracts.v1 import quotes_pb2 as pb

log = structlog.get_logger(__name__)
# A page of a quote takes a tenth of a second.
_RENDER_SECONDS, _RENDERED_AT_ONCE = 10.0, 2
_rendering = threading.BoundedSemaphore(_RENDERED_AT_ONCE)


def _wait_for_deal(servicer: QuoteServicer, call: Call[Any]) -> None:
    request = call.request
    name = request.quote.opportunity if isinstance(request, pb.CreateQuoteRequest) else request.opportunity

    def arrived(tx: Transaction) -> bool:
        deal = parties.find(tx, name)
        return deal is not None and (not deal.customer or parties.find(tx, deal.customer) is not None)

    arrivals.wait_for(servicer.runtime, call, [name], arrived)


class QuoteServicer(ShelfMethods):
    descriptor = pb.DESCRIPTOR.services_by_name["QuoteService"]

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        self._key = (
            runtime.settings.token_key.get_secret_value() or embedded_token_key(runtime.settings.data)
        ).encode()

    @command(fetch=_wait_for_deal)
    def CreateQuote(self, tx: Transaction, request: pb.CreateQuoteRequest) -> pb.Quote:
        reading.request_id(request)
        refuse_unwritable(tx, QUOTES, request.quote)
        values = quote_reading.quote(request.quote, quote_reading.CREATED)
        return messages.quote(quotes.create(tx, values, self.today(tx)))

    @command(fetch=_wait_for_deal)
    def QuoteOpportunity(self, tx: Transaction, request: pb.QuoteOpportunityRequest) -> pb.Quote:
        reading.request_id(request)
        return messages.quote(quotes.of_opportunity(tx, request.opportunity, self.today(tx)))

    @query
    def GetQuote(self, tx: Transaction, request: pb.GetQuoteRequest) -> pb.Quote:
        return messages.quote(records.find(tx, QUOTES, request.name, request.show_deleted))

    @query
    def ListQuotes(self, tx: Transaction, request: pb.ListQuotesRequest) -> pb.ListQuotesResponse:
        found, token, total = records.page(tx, QUOTES, request)
        return pb.ListQuotesResponse(quotes=map(messages.quote, found), next_page_token=token, total_size=total or 0)

    @command
    def UpdateQuote(self, tx: Transaction, request: pb.UpdateQuoteRequest) -> pb.Quote:
        reading.request_id(request)
        of = request.quote
        named = records.paths(request.update_mask.paths, of, quote_reading.CHANGEABLE)
        refuse_unwritable(tx, QUOTES, of, named)
        values = quote_reading.quote(of, named)
        return messages.quote(quotes.change(tx, of.name, of.etag, values, self.today(tx)))

    @command
    def DeleteQuote(self, tx: Transaction, request: pb.DeleteQuoteRequest) -> pb.Quote:
        reading.request_id(request)
        return messages.quote(quotes.delete(tx, request.name, request.etag))

    @command
    def UndeleteQuote(self, tx: Transaction, request: pb.UndeleteQuoteRequest) -> pb.Quote:
        reading.request_id(request)
        return messages.quote(records.undelete(tx, QUOTES, request.name))

    @command
    def SubmitQuote(self, tx: Transaction, request: pb.SubmitQuoteRequest) -> pb.Quote:
        reading.request_id(request)
        return messages.quote(quote_moves.submit(tx, request.name, request.etag, self.today(tx)))

    @command
    def ReviseQuote(self, tx: Transaction, request: pb.ReviseQuoteRequest) -> pb.Quote:
        reading.request_id(request)
        return messages.quote(quote_moves.revise(tx, request.name, request.etag))

    @command
    def AcceptQuote(self, tx: Transaction, request: pb.AcceptQuoteRequest) -> pb.Quote:
        reading.request_id(request)
        return messages.quote(quote_moves.accept(tx, request.name, request.etag, self.today(tx)))

    @outside
    def RenderQuote(self, call: Call[pb.RenderQuoteRequest]) -> File:
        language = quote_reading.language(call.request.language)
        with self.runtime.reading(call.principal) as tx:
            shown, tongue, of = papers.of_name(tx, call.request.name, language, self.zone)
        return _file(shown, tongue, of.create_time, call)

    @command
    def LinkQuote(self, tx: Transaction, request: pb.LinkQuoteRequest) -> pb.QuoteLink:
        token, link = quote_links.link(tx, request.name, self._key, self.today(tx), self.zone)
        return messages.link(request.name, token, link.expire_time)

    @command
    def UnlinkQuote(self, tx: Transaction, request: pb.UnlinkQuoteRequest) -> pb.Quote:
        reading.request_id(request)
        return messages.quote(quote_links.unlink(tx, request.name))

    @command
    def OpenQuoteLink(self, tx: Transaction, request: pb.OpenQuoteLinkRequest) -> pb.PublicQuote:
        language = quote_reading.language(request.language)
        look = quote_links.opened if request.seen else quote_links.linked
        return papers.paper(tx, look(tx, request.token), language, self.zone)[0]

    @outside
    def DownloadQuoteLink(self, call: Call[pb.DownloadQuoteLinkRequest]) -> File:
        language = quote_reading.language(call.request.language)
        with self.runtime.reading() as tx:
            of = quote_links.linked(tx, call.request.token)
            shown, tongue = papers.paper(tx, of, language, self.zone)
        return _file(shown, tongue, of.create_time, call)


def _file(shown: pb.PublicQuote, language: str, made: datetime, call: Call[Any]) -> File:
    """The PDF. Raises BUSY when the caller waited in vain for its turn."""
    content = json.dumps(paper.data(shown, language), ensure_ascii=False)
    if not _rendering.acquire(timeout=min(call.left(), _RENDER_SECONDS)):
        raise Refused(
            "BUSY",
            "Too many papers are made at once; try again.",
            "正在生成的文件过多，请稍后重试。",
            code="RESOURCE_EXHAUSTED",
        )
    try:
        pdf = _pdf(content, made)
    finally:
        _rendering.release()
    version = f"-v{shown.revision}" if shown.revision > 1 else ""
    return File(file_name=f"{shown.number}{version}.pdf", content_type="application/pdf", content=pdf)


@lru_cache(maxsize=16)
def _pdf(content: str, made: datetime) -> bytes:
    """The same paper is made once while people look at it."""
    return typeset.pdf(paper.TEMPLATE, json.loads(content), made, _RENDER_SECONDS)

"""gRPC in: unpack, call, pack."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

from chassis import bringing, records
from chassis.bringing import Brought
from chassis.errors import Invalid, Problem
from chassis.problems import problem
from chassis.rpc import Call, command, outside, query
from chassis.service import Runtime
from chassis.transaction import Transaction
from customers.domain.customer import Contact, Customer
from customers.peers import Peers
from customers.usecases import blueprint, customers, hand_overs, merging, ownership, view
from customers.usecases import bringing as bring
from customers.usecases.kinds import CONTACTS, CUSTOMERS, page, standing
from customers.wire import messages, reading
from customers.wire import view as view_wire
from dealwright.blueprint.v1 import blueprint_pb2
from dealwright.customers.v1 import customers_pb2 as pb
from dealwright.customers.v1 import view_pb2

_CUSTOMER = tuple(reading.CUSTOMER)
_CONTACT = tuple(reading.CONTACT)


def _bring_customer(tx: Transaction, request: pb.CreateCustomerRequest, source: str = "") -> Brought[Customer]:
    reading.request_id(request)
    values = reading.created(request.customer, reading.CUSTOMER, "customer", ["display_name"])
    owner = reading.owner(request.customer.owner, "customer.owner") if request.customer.owner else ""
    return bring.customer(tx, values, owner, request.on_conflict, request.match_name, source)


def _bring_contact(tx: Transaction, request: pb.CreateContactRequest, source: str = "") -> Brought[Contact]:
    reading.request_id(request)
    values = reading.created(request.contact, reading.CONTACT, "contact", ["full_name"])
    return bring.contact(tx, request.contact.customer, values, request.on_conflict, source)


class CustomerServicer:
    descriptor = pb.DESCRIPTOR.services_by_name["CustomerService"]

    @command
    def CreateCustomer(self, tx: Transaction, request: pb.CreateCustomerRequest) -> pb.Customer:
        return messages.customer(_bring_customer(tx, request).record)

    @command
    def BatchCreateCustomers(
        self, tx: Transaction, request: pb.BatchCreateCustomersRequest
    ) -> pb.BatchCreateCustomersResponse:
        reading.request_id(request)
        source = reading.source(request.source)
        answer = pb.BatchCreateCustomersResponse()
        for one in bringing.each(
            tx, request.requests, lambda row: _bring_customer(tx, row, source), request.validate_only
        ):
            if isinstance(one, Problem):
                answer.results.add(error=problem(one))
            else:
                told = bringing.message(tx, bring.CUSTOMER_WAY, one)
                answer.results.add(customer=messages.customer(one.record), brought=told)
        return answer

    @query
    def BatchFindCustomers(
        self, tx: Transaction, request: pb.BatchFindCustomersRequest
    ) -> pb.BatchFindCustomersResponse:
        if not 0 < len(request.customers) <= bringing.MOST:
            raise Invalid([("customers", f"must be 1 to {bringing.MOST}", f"须为 1 至 {bringing.MOST} 条")])
        return pb.BatchFindCustomersResponse(names=bring.find(tx, [reading.known_by(one) for one in request.customers]))

    @command
    def TakeBackCustomers(self, tx: Transaction, request: pb.TakeBackCustomersRequest) -> pb.TakeBackCustomersResponse:
        reading.request_id(request)
        return pb.TakeBackCustomersResponse(kept=bring.take_back(tx, request.records, request.source))

    @query
    def GetCustomer(self, tx: Transaction, request: pb.GetCustomerRequest) -> pb.Customer:
        return messages.customer(records.find(tx, CUSTOMERS, standing(tx, request.name), request.show_deleted))

    @query
    def ListCustomers(self, tx: Transaction, request: pb.ListCustomersRequest) -> pb.ListCustomersResponse:
        found, token, total = page(tx, request)
        return pb.ListCustomersResponse(
            customers=[messages.customer(one) for one in found], next_page_token=token, total_size=total or 0
        )

    @command
    def UpdateCustomer(self, tx: Transaction, request: pb.UpdateCustomerRequest) -> pb.Customer:
        reading.request_id(request)
        paths = records.paths(request.update_mask.paths, request.customer, _CUSTOMER, ("custom", "external_ids"))
        values = reading.changed(request.customer, paths, reading.CUSTOMER, "customer")
        return messages.customer(customers.update(tx, request.customer.name, request.customer.etag, values))

    @command
    def DeleteCustomer(self, tx: Transaction, request: pb.DeleteCustomerRequest) -> pb.Customer:
        reading.request_id(request)
        return messages.customer(customers.delete(tx, request.name, request.etag))

    @command
    def UndeleteCustomer(self, tx: Transaction, request: pb.UndeleteCustomerRequest) -> pb.Customer:
        reading.request_id(request)
        return messages.customer(customers.undelete(tx, request.name))

    @command
    def MergeCustomer(self, tx: Transaction, request: pb.MergeCustomerRequest) -> pb.Customer:
        reading.request_id(request)
        return messages.customer(merging.merge(tx, request.name, request.etag, request.other, request.other_etag))

    @command
    def TransferCustomer(self, tx: Transaction, request: pb.TransferCustomerRequest) -> pb.Customer:
        reading.request_id(request)
        owner, reason = reading.owner(request.owner), reading.words(request.reason, "reason")
        return messages.customer(ownership.transfer(tx, request.name, request.etag, owner, reason))

    @command
    def CreateContact(self, tx: Transaction, request: pb.CreateContactRequest) -> pb.Contact:
        return messages.contact(_bring_contact(tx, request).record)

    @command
    def BatchCreateContacts(
        self, tx: Transaction, request: pb.BatchCreateContactsRequest
    ) -> pb.BatchCreateContactsResponse:
        reading.request_id(request)
        source = reading.source(request.source)
        answer = pb.BatchCreateContactsResponse()
        for one in bringing.each(
            tx, request.requests, lambda row: _bring_contact(tx, row, source), request.validate_only
        ):
            if isinstance(one, Problem):
                answer.results.add(error=problem(one))
            else:
                told = bringing.message(tx, bring.CONTACT_WAY, one)
                answer.results.add(contact=messages.contact(one.record), brought=told)
        return answer

    @query
    def GetContact(self, tx: Transaction, request: pb.GetContactRequest) -> pb.Contact:
        return messages.contact(records.find(tx, CONTACTS, request.name, request.show_deleted))

    @query
    def ListContacts(self, tx: Transaction, request: pb.ListContactsRequest) -> pb.ListContactsResponse:
        found, token, total = records.page(tx, CONTACTS, request)
        return pb.ListContactsResponse(
            contacts=[messages.contact(one) for one in found], next_page_token=token, total_size=total or 0
        )

    @command
    def UpdateContact(self, tx: Transaction, request: pb.UpdateContactRequest) -> pb.Contact:
        reading.request_id(request)
        paths = records.paths(request.update_mask.paths, request.contact, _CONTACT)
        values = reading.changed(request.contact, paths, reading.CONTACT, "contact")
        return messages.contact(records.patch(tx, CONTACTS, request.contact.name, request.contact.etag, values))

    @command
    def DeleteContact(self, tx: Transaction, request: pb.DeleteContactRequest) -> pb.Contact:
        reading.request_id(request)
        return messages.contact(records.delete(tx, CONTACTS, request.name, request.etag))

    @command
    def UndeleteContact(self, tx: Transaction, request: pb.UndeleteContactRequest) -> pb.Contact:
        reading.request_id(request)
        return messages.contact(records.undelete(tx, CONTACTS, request.name))

    @query
    def ListHandOvers(self, tx: Transaction, request: pb.ListHandOversRequest) -> pb.ListHandOversResponse:
        found, token, total = hand_overs.page(tx, request)
        return pb.ListHandOversResponse(
            hand_overs=[messages.hand_over(one) for one in found], next_page_token=token, total_size=total or 0
        )

    @query
    def GetHandOver(self, tx: Transaction, request: pb.GetHandOverRequest) -> pb.HandOver:
        return messages.hand_over(hand_overs.get(tx, request.name))

    @command
    def ConfirmHandOver(self, tx: Transaction, request: pb.ConfirmHandOverRequest) -> pb.HandOver:
        reading.request_id(request)
        (confirmed,) = hand_overs.confirm(tx, [request.name], reading.owner(request.owner))
        return messages.hand_over(confirmed)

    @command
    def BatchConfirmHandOvers(
        self, tx: Transaction, request: pb.BatchConfirmHandOversRequest
    ) -> pb.BatchConfirmHandOversResponse:
        reading.request_id(request)
        confirmed = hand_overs.confirm(tx, list(request.names), reading.owner(request.owner))
        return pb.BatchConfirmHandOversResponse(hand_overs=[messages.hand_over(one) for one in confirmed])


class CustomerViewServicer:
    """A customer from all sides."""

    descriptor = view_pb2.DESCRIPTOR.services_by_name["CustomerViewService"]

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._peers = Peers(runtime)

    @outside
    def GetCustomerView(self, call: Call[view_pb2.GetCustomerViewRequest]) -> view_pb2.CustomerView:
        size = view_wire.size(call.request)
        with self._runtime.reading(call.principal) as tx:
            of, names, contacts, more = view.own(tx, call.request.name, size)
        return view_wire.view(of, contacts, more, self._peers.gather(call, names, size))


class BlueprintServicer:
    """Our part of the blueprint."""

    descriptor = blueprint_pb2.DESCRIPTOR.services_by_name["BlueprintService"]

    @query
    def GetPart(self, tx: Transaction, request: blueprint_pb2.GetPartRequest) -> blueprint_pb2.Part:
        return _part(*blueprint.read(tx))

    @query
    def PlanPart(self, tx: Transaction, request: blueprint_pb2.PlanPartRequest) -> blueprint_pb2.PlanPartResponse:
        changes, version = blueprint.plan(tx, _content(request.content))
        return blueprint_pb2.PlanPartResponse(
            changes=[blueprint_pb2.Change(path=p, before=b, after=a) for p, b, a in changes], version=version
        )

    @command
    def ApplyPart(self, tx: Transaction, request: blueprint_pb2.ApplyPartRequest) -> blueprint_pb2.Part:
        reading.request_id(request)
        return _part(*blueprint.apply(tx, _content(request.content), request.expected_version))


def _content(content: Struct) -> dict[str, Any]:
    try:
        plain: dict[str, Any] = json_format.MessageToDict(content)
    except (ValueError, RecursionError) as problem:
        raise Invalid([("content", "is not plain data", "不是有效的数据")]) from problem
    return plain


def _part(content: dict[str, Any], version: int) -> blueprint_pb2.Part:
    return blueprint_pb2.Part(content=messages.struct(content), version=version)

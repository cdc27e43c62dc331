"""NoticeService."""

from __future__ import annotations

from activities.servicer.requests import checked
from activities.servicer.waiting import for_records
from activities.usecases import company, inbox, templates
from activities.wire import file_messages
from activities.wire import notice_messages as messages
from chassis import records as kept
from chassis.errors import Invalid
from chassis.fields import FieldCheck
from chassis.rpc import Call, command, outside, query
from chassis.service import Runtime
from chassis.transaction import Transaction
from dealwright.activities.v1 import notices_pb2 as pb

_wait = for_records(lambda request: [request.record])


class NoticeServicer:
    descriptor = pb.DESCRIPTOR.services_by_name["NoticeService"]

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    @command
    def CreateTemplate(self, tx: Transaction, request: pb.CreateTemplateRequest) -> pb.Template:
        check = FieldCheck()
        values = messages.values(request.template, messages.CHANGEABLE, check)
        checked(request, check)
        return messages.template(templates.create(tx, values))

    @query
    def GetTemplate(self, tx: Transaction, request: pb.GetTemplateRequest) -> pb.Template:
        return messages.template(kept.find(tx, templates.KIND, request.name, request.show_deleted))

    @query
    def ListTemplates(self, tx: Transaction, request: pb.ListTemplatesRequest) -> pb.ListTemplatesResponse:
        found, token, total = kept.page(tx, templates.KIND, request)
        return pb.ListTemplatesResponse(
            templates=map(messages.template, found), next_page_token=token, total_size=total or 0
        )

    @command
    def UpdateTemplate(self, tx: Transaction, request: pb.UpdateTemplateRequest) -> pb.Template:
        of, check = request.template, FieldCheck()
        values = messages.values(of, kept.paths(request.update_mask.paths, of, messages.CHANGEABLE), check)
        checked(request, check)
        return messages.template(templates.change(tx, of.name, of.etag, values))

    @command
    def DeleteTemplate(self, tx: Transaction, request: pb.DeleteTemplateRequest) -> pb.Template:
        checked(request)
        return messages.template(kept.delete(tx, templates.KIND, request.name, request.etag))

    @command
    def UndeleteTemplate(self, tx: Transaction, request: pb.UndeleteTemplateRequest) -> pb.Template:
        checked(request)
        return messages.template(templates.undelete(tx, request.name))

    @outside
    def RenderTemplate(self, call: Call[pb.RenderTemplateRequest]) -> pb.RenderTemplateResponse:
        request, check = call.request, FieldCheck()
        check.take("record", file_messages.record, request.record)
        if check.violations:
            raise Invalid(check.violations)
        _wait(self, call)
        with self.runtime.reading(call.principal) as tx:
            return messages.rendered(templates.rendered(tx, request.name, request.record, company.today(tx)))

    @query
    def ListNotifications(self, tx: Transaction, request: pb.ListNotificationsRequest) -> pb.ListNotificationsResponse:
        found, token, total, unread = inbox.page(tx, request)
        return pb.ListNotificationsResponse(
            notifications=map(messages.notification, found),
            next_page_token=token,
            total_size=total or 0,
            unread=unread,
        )

    @query
    def GetNotification(self, tx: Transaction, request: pb.GetNotificationRequest) -> pb.Notification:
        return messages.notification(inbox.find(tx, request.name))

    @command
    def MarkReadNotification(self, tx: Transaction, request: pb.MarkReadNotificationRequest) -> pb.Notification:
        checked(request)
        return messages.notification(inbox.mark_read(tx, request.name))

    @command
    def BatchMarkReadNotifications(
        self, tx: Transaction, request: pb.BatchMarkReadNotificationsRequest
    ) -> pb.BatchMarkReadNotificationsResponse:
        checked(request)
        return pb.BatchMarkReadNotificationsResponse(marked=inbox.mark_many(tx, messages.names(request.names)))

    @query
    def GetNotificationPreference(
        self, tx: Transaction, request: pb.GetNotificationPreferenceRequest
    ) -> pb.NotificationPreference:
        return messages.preference(*inbox.preference(tx))

    @command
    def UpdateNotificationPreference(
        self, tx: Transaction, request: pb.UpdateNotificationPreferenceRequest
    ) -> pb.NotificationPreference:
        checked(request)
        given = messages.preferred(request.notification_preference)
        return messages.preference(*inbox.prefer(tx, given))

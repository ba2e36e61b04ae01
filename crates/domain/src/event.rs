//! Changes of state, as the event log keeps them.

/// What happened to an object. The names are for ever: webhooks and reconciliation read them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventKind {
    /// An account was opened.
    AccountCreated,
    /// An account was changed by the operator.
    AccountUpdated,
    /// A number was bought.
    NumberPurchased,
    /// A number that waited for an address has one.
    NumberActivated,
    /// A number's configuration was changed.
    NumberConfigured,
    /// A month of a number was charged.
    NumberRenewed,
    /// A renewal was not paid for.
    NumberSuspended,
    /// A suspended number was paid for.
    NumberReactivated,
    /// A number began its way here.
    NumberPorting,
    /// A number arrived from another carrier.
    NumberPortedIn,
    /// A number began its way to another carrier.
    NumberPortingOut,
    /// A number stays after all.
    NumberPortOutCanceled,
    /// A number was given back.
    NumberReleased,
    /// A port was asked for.
    PortCreated,
    /// A port was handed to the losing carrier.
    PortSubmitted,
    /// The losing carrier named a date.
    PortScheduled,
    /// The number is here. Terminal.
    PortCompleted,
    /// The losing carrier refused. Terminal.
    PortRejected,
    /// The port was called off. Terminal.
    PortCanceled,
    /// A document was added to a port.
    PortDocumentAdded,
    /// Money came in.
    WalletCredited,
    /// Money that was set aside went back, because nobody claimed it in time.
    HoldExpired,
    /// An invoice was written.
    InvoiceIssued,
    /// A spending limit was set.
    LimitSet,
    /// Spending passed a notification threshold of a limit.
    LimitReached,
    /// An endpoint was asked whether it hears.
    WebhookTest,
    /// An endpoint was switched off because nothing could be delivered to it.
    WebhookDisabled,
    /// A delivery was given up.
    WebhookDeliveryFailed,
    /// A message waits for its time.
    MessageScheduled,
    /// A message waits to be sent.
    MessageQueued,
    /// The SMSC took every part of a message.
    MessageSent,
    /// A message is on the handset. Terminal.
    MessageDelivered,
    /// A message will never be on the handset. Terminal.
    MessageUndelivered,
    /// A message was given up. Terminal.
    MessageExpired,
    /// A message was refused before it was sent. Terminal.
    MessageFailed,
    /// A message came in. Terminal.
    MessageReceived,
    /// A verification's code was sent.
    VerifySent,
    /// A verification's code did not arrive; the verification goes on, and the code can be sent again.
    VerifyUndelivered,
    /// The right code came back. Terminal.
    VerifyChecked,
    /// Too many wrong codes came back. Terminal.
    VerifyFailed,
    /// No right code came back in time. Terminal.
    VerifyExpired,
    /// A verification was called off. Terminal.
    VerifyCanceled,
    /// Somebody wants no more messages.
    RecipientOptedOut,
    /// Somebody wants messages again.
    RecipientOptedIn,
    /// A property was made.
    PropertyCreated,
    /// A property was changed.
    PropertyUpdated,
    /// An address was written down.
    AddressCreated,
    /// An address was taken away.
    AddressDeleted,
    /// Somebody was given a login.
    LoginCreated,
    /// A login was changed.
    LoginUpdated,
    /// A call flow was made.
    CallFlowCreated,
    /// A call flow was changed.
    CallFlowUpdated,
    /// A call flow was deleted.
    CallFlowDeleted,
    /// A menu was made.
    IvrMenuCreated,
    /// A menu was changed.
    IvrMenuUpdated,
    /// A menu was deleted.
    IvrMenuDeleted,
    /// A SIP device was added.
    DeviceCreated,
    /// A SIP device was changed, or got another password.
    DeviceUpdated,
    /// A SIP device was taken away.
    DeviceDeleted,
    /// A call began.
    CallInitiated,
    /// Somebody's telephone rings.
    CallRinging,
    /// Somebody or something took a call.
    CallAnswered,
    /// A call that was taken is over. Terminal.
    CallCompleted,
    /// A call ended that nobody took. Terminal.
    CallFailed,
    /// A recording is whole.
    RecordingCompleted,
    /// A recording was deleted.
    RecordingDeleted,
    /// A conference was made.
    ConferenceCreated,
    /// A conference was changed.
    ConferenceUpdated,
    /// A conference was ended. Terminal.
    ConferenceEnded,
    /// Somebody was added to a conference.
    ConferenceParticipantAdded,
    /// Somebody was removed from a conference.
    ConferenceParticipantRemoved,
    /// Somebody joined a conference in which nobody was.
    ConferenceStarted,
    /// The last one left a conference, which goes on.
    ConferenceEmptied,
    /// Somebody joined a conference.
    ConferenceParticipantJoined,
    /// Somebody left a conference, or did not answer.
    ConferenceParticipantLeft,
    /// Somebody was not let into a conference.
    ConferenceParticipantRefused,
    /// Somebody was muted.
    ConferenceParticipantMuted,
    /// Somebody is heard again.
    ConferenceParticipantUnmuted,
    /// Somebody was put on hold.
    ConferenceParticipantHeld,
    /// Somebody takes part again.
    ConferenceParticipantResumed,
    /// A conference is recorded from now on.
    ConferenceRecordingStarted,
}

impl EventKind {
    /// All of them: what a webhook can ask for.
    pub const ALL: &'static [Self] = &[
        Self::AccountCreated,
        Self::AccountUpdated,
        Self::NumberPurchased,
        Self::NumberActivated,
        Self::NumberConfigured,
        Self::NumberRenewed,
        Self::NumberSuspended,
        Self::NumberReactivated,
        Self::NumberPorting,
        Self::NumberPortedIn,
        Self::NumberPortingOut,
        Self::NumberPortOutCanceled,
        Self::NumberReleased,
        Self::PortCreated,
        Self::PortSubmitted,
        Self::PortScheduled,
        Self::PortCompleted,
        Self::PortRejected,
        Self::PortCanceled,
        Self::PortDocumentAdded,
        Self::WalletCredited,
        Self::HoldExpired,
        Self::InvoiceIssued,
        Self::LimitSet,
        Self::LimitReached,
        Self::WebhookTest,
        Self::WebhookDisabled,
        Self::WebhookDeliveryFailed,
        Self::MessageScheduled,
        Self::MessageQueued,
        Self::MessageSent,
        Self::MessageDelivered,
        Self::MessageUndelivered,
        Self::MessageExpired,
        Self::MessageFailed,
        Self::MessageReceived,
        Self::VerifySent,
        Self::VerifyUndelivered,
        Self::VerifyChecked,
        Self::VerifyFailed,
        Self::VerifyExpired,
        Self::VerifyCanceled,
        Self::RecipientOptedOut,
        Self::RecipientOptedIn,
        Self::PropertyCreated,
        Self::PropertyUpdated,
        Self::AddressCreated,
        Self::AddressDeleted,
        Self::LoginCreated,
        Self::LoginUpdated,
        Self::CallFlowCreated,
        Self::CallFlowUpdated,
        Self::CallFlowDeleted,
        Self::IvrMenuCreated,
        Self::IvrMenuUpdated,
        Self::IvrMenuDeleted,
        Self::DeviceCreated,
        Self::DeviceUpdated,
        Self::DeviceDeleted,
        Self::CallInitiated,
        Self::CallRinging,
        Self::CallAnswered,
        Self::CallCompleted,
        Self::CallFailed,
        Self::RecordingCompleted,
        Self::RecordingDeleted,
        Self::ConferenceCreated,
        Self::ConferenceUpdated,
        Self::ConferenceEnded,
        Self::ConferenceParticipantAdded,
        Self::ConferenceParticipantRemoved,
        Self::ConferenceStarted,
        Self::ConferenceEmptied,
        Self::ConferenceParticipantJoined,
        Self::ConferenceParticipantLeft,
        Self::ConferenceParticipantRefused,
        Self::ConferenceParticipantMuted,
        Self::ConferenceParticipantUnmuted,
        Self::ConferenceParticipantHeld,
        Self::ConferenceParticipantResumed,
        Self::ConferenceRecordingStarted,
    ];

    /// The event's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountCreated => "account.created",
            Self::AccountUpdated => "account.updated",
            Self::NumberPurchased => "number.purchased",
            Self::NumberActivated => "number.activated",
            Self::NumberConfigured => "number.configured",
            Self::NumberRenewed => "number.renewed",
            Self::NumberSuspended => "number.suspended",
            Self::NumberReactivated => "number.reactivated",
            Self::NumberPorting => "number.porting",
            Self::NumberPortedIn => "number.ported_in",
            Self::NumberPortingOut => "number.porting_out",
            Self::NumberPortOutCanceled => "number.port_out_canceled",
            Self::NumberReleased => "number.released",
            Self::PortCreated => "port.created",
            Self::PortSubmitted => "port.submitted",
            Self::PortScheduled => "port.scheduled",
            Self::PortCompleted => "port.completed",
            Self::PortRejected => "port.rejected",
            Self::PortCanceled => "port.canceled",
            Self::PortDocumentAdded => "port.document_added",
            Self::WalletCredited => "wallet.credited",
            Self::HoldExpired => "hold.expired",
            Self::InvoiceIssued => "invoice.issued",
            Self::LimitSet => "limit.set",
            Self::LimitReached => "limit.reached",
            Self::WebhookTest => "webhook.test",
            Self::WebhookDisabled => "webhook.disabled",
            Self::WebhookDeliveryFailed => "webhook.delivery_failed",
            Self::MessageScheduled => "message.scheduled",
            Self::MessageQueued => "message.queued",
            Self::MessageSent => "message.sent",
            Self::MessageDelivered => "message.delivered",
            Self::MessageUndelivered => "message.undelivered",
            Self::MessageExpired => "message.expired",
            Self::MessageFailed => "message.failed",
            Self::MessageReceived => "message.received",
            Self::VerifySent => "verify.sent",
            Self::VerifyUndelivered => "verify.undelivered",
            Self::VerifyChecked => "verify.checked",
            Self::VerifyFailed => "verify.failed",
            Self::VerifyExpired => "verify.expired",
            Self::VerifyCanceled => "verify.canceled",
            Self::RecipientOptedOut => "recipient.opted_out",
            Self::RecipientOptedIn => "recipient.opted_in",
            Self::PropertyCreated => "property.created",
            Self::PropertyUpdated => "property.updated",
            Self::AddressCreated => "address.created",
            Self::AddressDeleted => "address.deleted",
            Self::LoginCreated => "login.created",
            Self::LoginUpdated => "login.updated",
            Self::CallFlowCreated => "call_flow.created",
            Self::CallFlowUpdated => "call_flow.updated",
            Self::CallFlowDeleted => "call_flow.deleted",
            Self::IvrMenuCreated => "ivr_menu.created",
            Self::IvrMenuUpdated => "ivr_menu.updated",
            Self::IvrMenuDeleted => "ivr_menu.deleted",
            Self::DeviceCreated => "device.created",
            Self::DeviceUpdated => "device.updated",
            Self::DeviceDeleted => "device.deleted",
            Self::CallInitiated => "call.initiated",
            Self::CallRinging => "call.ringing",
            Self::CallAnswered => "call.answered",
            Self::CallCompleted => "call.completed",
            Self::CallFailed => "call.failed",
            Self::RecordingCompleted => "recording.completed",
            Self::RecordingDeleted => "recording.deleted",
            Self::ConferenceCreated => "conference.created",
            Self::ConferenceUpdated => "conference.updated",
            Self::ConferenceEnded => "conference.ended",
            Self::ConferenceParticipantAdded => "conference.participant_added",
            Self::ConferenceParticipantRemoved => "conference.participant_removed",
            Self::ConferenceStarted => "conference.started",
            Self::ConferenceEmptied => "conference.emptied",
            Self::ConferenceParticipantJoined => "conference.participant_joined",
            Self::ConferenceParticipantLeft => "conference.participant_left",
            Self::ConferenceParticipantRefused => "conference.participant_refused",
            Self::ConferenceParticipantMuted => "conference.participant_muted",
            Self::ConferenceParticipantUnmuted => "conference.participant_unmuted",
            Self::ConferenceParticipantHeld => "conference.participant_held",
            Self::ConferenceParticipantResumed => "conference.participant_resumed",
            Self::ConferenceRecordingStarted => "conference.recording_started",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_kind_is_left_out() {
        let named =
            include_str!("event.rs").lines().filter(|line| line.trim_start().starts_with("Self::") && line.contains(" => \""));
        assert_eq!(named.count(), EventKind::ALL.len());
    }
}

//! Command statuses: the ones that decide something here, and names for those that people read.

/// Done.
pub const OK: u32 = 0;
/// The message is too long.
pub const INVALID_LENGTH: u32 = 0x01;
/// The command's length makes no sense.
pub const INVALID_COMMAND_LENGTH: u32 = 0x02;
/// There is no such command.
pub const INVALID_COMMAND: u32 = 0x03;
/// The session is not bound for this.
pub const WRONG_STATE: u32 = 0x04;
/// The session is bound already.
pub const ALREADY_BOUND: u32 = 0x05;
/// Something is wrong there.
pub const SYSTEM_ERROR: u32 = 0x08;
/// No such recipient.
pub const INVALID_DESTINATION: u32 = 0x0B;
/// No such message.
pub const INVALID_MESSAGE_ID: u32 = 0x0C;
/// No bind is to be had.
pub const BIND_FAILED: u32 = 0x0D;
/// Wrong password.
pub const INVALID_PASSWORD: u32 = 0x0E;
/// No such system.
pub const INVALID_SYSTEM: u32 = 0x0F;
/// The message cannot be called back any more.
pub const CANCEL_FAILED: u32 = 0x11;
/// There is no room for another message.
pub const QUEUE_FULL: u32 = 0x14;
/// Too many messages at a time.
pub const THROTTLED: u32 = 0x58;
/// The receiver asks for it again later.
pub const TRY_LATER: u32 = 0x64;
/// The message cannot be asked after.
pub const QUERY_FAILED: u32 = 0x67;

/// Whether a refusal is about the message itself (its addresses, its length, its fields): it would have been refused the first time as well.
#[must_use]
pub const fn is_about_the_message(status: u32) -> bool {
    matches!(
        status,
        0x01..=0x03 | 0x06 | 0x07 | 0x0A | 0x0B | 0x15 | 0x33 | 0x34 | 0x40 | 0x42 | 0x43 | 0x48..=0x51 | 0x54 | 0x61 | 0x62
    )
}

/// The specification's name of a status.
#[must_use]
pub const fn name(status: u32) -> &'static str {
    match status {
        0x00 => "ESME_ROK",
        0x01 => "ESME_RINVMSGLEN",
        0x02 => "ESME_RINVCMDLEN",
        0x03 => "ESME_RINVCMDID",
        0x04 => "ESME_RINVBNDSTS",
        0x05 => "ESME_RALYBND",
        0x06 => "ESME_RINVPRTFLG",
        0x07 => "ESME_RINVREGDLVFLG",
        0x08 => "ESME_RSYSERR",
        0x0A => "ESME_RINVSRCADR",
        0x0B => "ESME_RINVDSTADR",
        0x0C => "ESME_RINVMSGID",
        0x0D => "ESME_RBINDFAIL",
        0x0E => "ESME_RINVPASWD",
        0x0F => "ESME_RINVSYSID",
        0x11 => "ESME_RCANCELFAIL",
        0x13 => "ESME_RREPLACEFAIL",
        0x14 => "ESME_RMSGQFUL",
        0x15 => "ESME_RINVSERTYP",
        0x33 => "ESME_RINVNUMDESTS",
        0x34 => "ESME_RINVDLNAME",
        0x40 => "ESME_RINVDESTFLAG",
        0x42 => "ESME_RINVSUBREP",
        0x43 => "ESME_RINVESMCLASS",
        0x44 => "ESME_RCNTSUBDL",
        0x45 => "ESME_RSUBMITFAIL",
        0x48 => "ESME_RINVSRCTON",
        0x49 => "ESME_RINVSRCNPI",
        0x50 => "ESME_RINVDSTTON",
        0x51 => "ESME_RINVDSTNPI",
        0x53 => "ESME_RINVSYSTYP",
        0x54 => "ESME_RINVREPFLAG",
        0x55 => "ESME_RINVNUMMSGS",
        0x58 => "ESME_RTHROTTLED",
        0x61 => "ESME_RINVSCHED",
        0x62 => "ESME_RINVEXPIRY",
        0x63 => "ESME_RINVDFTMSGID",
        0x64 => "ESME_RX_T_APPN",
        0x65 => "ESME_RX_P_APPN",
        0x66 => "ESME_RX_R_APPN",
        0x67 => "ESME_RQUERYFAIL",
        0xC0 => "ESME_RINVTLVSTREAM",
        0xC1 => "ESME_RTLVNOTALLWD",
        0xC2 => "ESME_RINVTLVLEN",
        0xC3 => "ESME_RMISSINGTLV",
        0xC4 => "ESME_RINVTLVVAL",
        0xFE => "ESME_RDELIVERYFAILURE",
        0xFF => "ESME_RUNKNOWNERR",
        0x100 => "ESME_RSERTYPUNAUTH",
        0x101 => "ESME_RPROHIBITED",
        0x102 => "ESME_RSERTYPUNAVAIL",
        0x103 => "ESME_RSERTYPDENIED",
        0x104 => "ESME_RINVDCS",
        _ => "vendor-specific",
    }
}

/// Whether the message may be offered again as it is: there is only no room for it now.
#[must_use]
pub const fn is_full(status: u32) -> bool {
    matches!(status, THROTTLED | QUEUE_FULL)
}

/// Whether the SMSC itself is in trouble, which may pass.
#[must_use]
pub const fn is_trouble(status: u32) -> bool {
    matches!(status, SYSTEM_ERROR | 0xFF | 0x102)
}

//! How a message's options are kept in one column: as JSON, read by every later version; nothing where they are the usual ones.

use serde::{Deserialize, Serialize};
use tandem_domain::{
    message::{Callback, Forward, Options, Sender},
    webhook::Method,
};
use tandem_kernel::PhoneNumber;

use crate::{Fault, codec};

#[derive(Serialize, Deserialize)]
struct CallbackRow {
    url: String,
    get: bool,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct OptionsRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    no_receipt: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<CallbackRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<CallbackRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_sms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_sms: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_email: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    leased: bool,
}

pub(super) fn to_text(options: &Options) -> Option<String> {
    if *options == Options::default() {
        return None;
    }
    let callback = |callback: &Callback| CallbackRow { url: callback.url.clone(), get: callback.method == Method::Get };
    let forward = options.forward.clone();
    Some(codec::to_text(&OptionsRow {
        external_id: options.external_id.clone(),
        no_receipt: !options.receipt,
        receipt: options.receipt_webhook.as_ref().map(callback),
        reply: options.reply_webhook.as_ref().map(callback),
        to_sms: forward.to_sms.map(PhoneNumber::digits),
        from_sms: forward.from_sms.map(|sender| sender.to_string()),
        to_email: forward.to_email,
        from_email: forward.from_email,
        leased: options.leased,
    }))
}

pub(super) fn from_text(text: Option<&str>) -> Result<Options, Fault> {
    let Some(text) = text else { return Ok(Options::default()) };
    let row: OptionsRow = codec::from_text(text)?;
    let callback = |row: CallbackRow| Callback { url: row.url, method: if row.get { Method::Get } else { Method::Post } };
    Ok(Options {
        external_id: row.external_id,
        receipt: !row.no_receipt,
        receipt_webhook: row.receipt.map(callback),
        reply_webhook: row.reply.map(callback),
        forward: Forward {
            to_sms: row.to_sms.map(PhoneNumber::from_digits),
            from_sms: row.from_sms.as_deref().map(Sender::of_network),
            to_email: row.to_email,
            from_email: row.from_email,
        },
        leased: row.leased,
    })
}

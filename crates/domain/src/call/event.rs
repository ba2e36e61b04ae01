//! What is told of a call, as the data of its events.

use serde_json::{Map, Value, json};
use tandem_kernel::Timestamp;

use super::{Call, Origin};
use crate::property::Property;

/// What is known of a call as it begins.
#[derive(Clone, Copy, Debug)]
pub struct Begun<'a> {
    /// Who calls, or `anonymous`.
    pub from: &'a str,
    /// Which number is called.
    pub to: &'a str,
    /// The name that its owner gave that number.
    pub to_name: Option<&'a str>,
    /// When it began.
    pub started_at: Timestamp,
    /// Whence it comes.
    pub origin: &'a Origin,
}

/// The data of `call.initiated`.
#[must_use]
pub fn initiated(call: &Begun, property: &Property) -> Map<String, Value> {
    let data = json!({
        "from": call.from,
        "to": call.to,
        "to_type": "Static",
        "to_name": call.to_name.unwrap_or(""),
        "from_country": call.origin.country,
        "from_region": call.origin.region,
        "from_city": call.origin.city,
        "initiated_at": call.started_at.to_string(),
        "property_id": property.id.to_string(),
        "property_name": property.main_domain,
        "property_type": "Site",
    });
    if let Value::Object(data) = data { data } else { Map::new() }
}

/// The data of `call.completed`.
#[must_use]
pub fn completed(call: &Call, to_name: Option<&str>, property: &Property) -> Map<String, Value> {
    let (from, to) = (call.caller(), call.to.to_string());
    let begun = Begun { from: &from, to: &to, to_name, started_at: call.started_at, origin: &call.origin };
    let mut data = initiated(&begun, property);
    data.remove("initiated_at");
    data.insert("started_at".to_owned(), call.started_at.to_string().into());
    data.insert("ended_at".to_owned(), call.ended_at.to_string().into());
    data.insert("duration".to_owned(), call.duration.into());
    data.insert("disposition".to_owned(), call.disposition.documented().into());
    if let Some(recording) = &call.recording {
        data.insert("recording_url".to_owned(), recording.clone().into());
    }
    data
}

#[cfg(test)]
mod tests {
    use tandem_catalogue::Dialect;
    use tandem_kernel::{AccountId, CallId, EnvironmentId, EventId, PhoneNumber, PropertyId};

    use super::*;
    use crate::{
        call::{Attribution, Direction, Disposition},
        property::windows_zone,
        sid::{account_sid, letter, sid},
        webhook::{Happening, Method, Target, render},
    };

    fn property() -> Property {
        Property {
            id: PropertyId::from_bytes([4; 16]),
            environment: EnvironmentId::from_bytes([2; 16]),
            name: "Shop".to_owned(),
            main_domain: "shop.example.com".to_owned(),
            time_zone: windows_zone("UTC").expect("a zone"),
            sms_enabled: true,
            call_recording_enabled: true,
            integrations_enabled: false,
            active: true,
            created_at: Timestamp::default(),
            version: 1,
        }
    }

    fn call() -> Call {
        let number = |text| PhoneNumber::from_e164(text).expect(text);
        let at = |seconds| Timestamp::from_micros(1_704_067_200_000_000).plus_seconds(seconds);
        Call {
            id: CallId::from_bytes([9; 16]),
            environment: EnvironmentId::from_bytes([2; 16]),
            property: PropertyId::from_bytes([4; 16]),
            direction: Direction::Inbound,
            from: Some(number("+61412345678")),
            to: number("+61299998888"),
            endpoint: Some(number("+61299997777")),
            started_at: at(3),
            answered_at: Some(at(10)),
            ended_at: at(75),
            duration: 65,
            disposition: Disposition::Answered,
            attribution: Attribution::default(),
            prompts: Vec::new(),
            recording: Some("https://recordings.example/1".to_owned()),
            origin: Origin { country: Some("AU".to_owned()), region: None, city: None },
            first: true,
            written: 1,
        }
    }

    fn told(kind: &str, data: Map<String, Value>) -> Happening {
        Happening {
            id: EventId::from_bytes([1; 16]),
            account: AccountId::from_bytes([7; 16]),
            kind: kind.to_owned(),
            object: CallId::from_bytes([9; 16]).to_string(),
            sequence: Some(1),
            data,
            at: Timestamp::from_micros(1_704_067_200_000_000),
        }
    }

    fn head(event: &str) -> String {
        let (account, property) = (account_sid(AccountId::from_bytes([7; 16])), sid(letter::PROPERTY, &[4; 16]));
        format!(
            "Action=Webhook&Event={event}&Account.Sid={account}&Property.Sid={property}&Property.Name=shop.example.com&Property.Type=Site\
             &Call.Sid={}&Call.StartDate=2024-01-01+00%3A00%3A03",
            sid(letter::CALL, &[9; 16]),
        )
    }

    #[test]
    fn fone_dynamics_hears_of_the_end_of_a_call_in_a_form_or_a_query() {
        let happening = told("call.completed", completed(&call(), Some("Front desk"), &property()));
        let expected = format!(
            "{}&Call.From=%2B61412345678&Call.From.Country=AU&Call.From.Region=&Call.From.City=&Call.To=%2B61299998888\
             &Call.To.Type=Static&Call.To.Name=Front+desk&Call.Duration=65&Call.Disposition=Answered\
             &Call.Recording.Uri=https%3A%2F%2Frecordings.example%2F1",
            head("Call.Complete"),
        );
        let target = Target::Endpoint(Dialect::FoneDynamics);
        let posted = render(target, Method::Post, &happening);
        assert_eq!(String::from_utf8(posted.bytes).expect("text"), expected);
        assert_eq!((posted.query.as_str(), posted.media_type), ("", "application/x-www-form-urlencoded"));
        let got = render(target, Method::Get, &happening);
        assert_eq!((got.query, got.bytes.len(), got.event.as_str()), (expected, 0, "Call.Complete"));
    }

    #[test]
    fn of_its_beginning_it_hears_no_duration_and_of_a_hidden_caller_no_number() {
        let origin = Origin::default();
        let begun = Begun { from: "anonymous", to: "+61299998888", to_name: None, started_at: call().started_at, origin: &origin };
        let posted =
            render(Target::Endpoint(Dialect::FoneDynamics), Method::Post, &told("call.initiated", initiated(&begun, &property())));
        let expected = format!(
            "{}&Call.From=anonymous&Call.From.Country=&Call.From.Region=&Call.From.City=&Call.To=%2B61299998888&Call.To.Type=Static\
             &Call.To.Name=",
            head("Call.Initiate"),
        );
        assert_eq!(String::from_utf8(posted.bytes).expect("text"), expected);
    }

    #[test]
    fn others_hear_of_the_same_call_in_their_words() {
        let happening = told("call.completed", completed(&call(), None, &property()));
        let said = |dialect| {
            let body = render(Target::Endpoint(dialect), Method::Post, &happening);
            serde_json::from_slice::<Value>(&body.bytes).expect("JSON")["data"].clone()
        };
        let audian = said(Dialect::Audian);
        assert_eq!((&audian["call_id"], &audian["duration"]), (&json!(happening.object), &json!(65)));
        let telephony = said(Dialect::TelephonyIo);
        assert_eq!((&telephony["callId"], &telephony["from_number"]), (&json!(happening.object), &json!("+61412345678")));
    }
}

//! Calls that are over: read one by one, by project, by account, and since a token was given out.

use serde_json::{Value, json};
use tandem_domain::{
    call::{Call, Disposition, Origin},
    sid::{account_sid, letter, sid},
};
use tandem_kernel::{
    Environment::{Live, Test},
    PhoneNumber, PropertyId, Scope,
};
use tandem_testkit::{Answer, Client, DAWN, Persona, Server, call, on_both};

use super::{BASE, first_project};

const OURS: &str = "+61299998888";
const OTHER: &str = "+61299996666";
const THEIRS: &str = "+61412345678";

/// A call that began so many seconds after dawn.
fn at(persona: &Persona, seconds: i64) -> Call {
    call(persona.test.environment, THEIRS, OURS, DAWN.plus_seconds(seconds))
}

fn sid_of(call: &Call) -> String {
    sid(letter::CALL, call.id.as_bytes())
}

fn of_account(persona: &Persona) -> String {
    format!("{BASE}/Accounts/{}/Calls", account_sid(persona.account))
}

/// When the calls of a page began, in seconds after dawn.
fn begun(answer: &Answer) -> Vec<i64> {
    let calls = answer.assert_status(200).body["Calls"].as_array().expect("calls").iter();
    calls.map(|call| call["DateStart"].as_i64().expect("a time") - DAWN.seconds()).collect()
}

fn token(answer: &Answer) -> String {
    answer.body["Token"].as_str().expect("a token").to_owned()
}

async fn list(client: &Client, path: &str, query: &str) -> Vec<i64> {
    begun(&client.get(&format!("{path}?{query}")).await)
}

on_both! {
    async fn a_call_is_read_with_everything_that_is_known_of_it(server: Server) {
        let ada = server.account("Ada").await;
        let origin = Origin { country: Some("AU".to_owned()), region: Some("New South Wales".to_owned()), city: Some("Sydney".to_owned()) };
        let attribution = tandem_domain::call::Attribution {
            source: Some("google".to_owned()), medium: Some("cpc".to_owned()), campaign: Some("spring".to_owned()), content: Some("banner".to_owned()),
        };
        let full = Call {
            origin, attribution, prompts: vec!["1".to_owned(), "2".to_owned()], recording: Some("https://recordings.example/1".to_owned()),
            ..at(&ada, 5)
        };
        let bare = Call { from: None, endpoint: None, disposition: Disposition::NoAnswer, duration: 0, answered_at: None, ..at(&ada, 9) };
        let written = ada.write_calls(Test, vec![full, bare]).await;
        let (account, property) = (account_sid(ada.account), first_project(&ada));
        let shown = [
            json!({
                "CallSid": sid_of(&written[0]), "AccountSid": account, "PropertySid": property, "DateStart": DAWN.seconds() + 5, "From": THEIRS,
                "FromCountryCode": "AU", "FromRegion": "New South Wales", "FromCity": "Sydney", "To": OURS, "Endpoint": "+61299997777",
                "Duration": 60, "Disposition": "Answered", "CallType": "Inbound", "Attribution_Source": "google",
                "Attribution_Medium": "cpc", "Attribution_Campaign": "spring", "Attribution_Content": "banner", "Prompts_keys": "1,2",
                "Unique": true, "RecordingUri": "https://recordings.example/1",
            }),
            json!({
                "CallSid": sid_of(&written[1]), "AccountSid": account, "PropertySid": property, "DateStart": DAWN.seconds() + 9,
                "From": "anonymous", "FromCountryCode": null, "FromRegion": null, "FromCity": null, "To": OURS, "Endpoint": null,
                "Duration": 0, "Disposition": "NoAnswer", "CallType": "Inbound", "Attribution_Source": null, "Attribution_Medium": null,
                "Attribution_Campaign": null, "Attribution_Content": null, "Prompts_keys": "", "Unique": true, "RecordingUri": null,
            }),
        ];
        for (call, shown) in written.iter().zip(&shown) {
            ada.test().get(&format!("{BASE}/Calls/{}", sid_of(call))).await.assert(200, &json!({ "Call": shown }));
        }
        for path in [of_account(&ada), format!("{BASE}/Properties/{property}/Calls")] {
            let listed = ada.test().get(&path).await;
            listed.assert(200, &json!({ "Calls": shown, "Token": token(&listed), "NextPageToken": null }));
        }
    }

    async fn what_is_not_there_is_said_so(server: Server) {
        let (ada, bob) = (server.account("Ada").await, server.account("Bob").await);
        let written = ada.write_calls(Test, vec![at(&ada, 1)]).await;
        let sid = sid_of(&written[0]);
        for (client, sid) in [(ada.test(), "C123".to_owned()), (bob.test(), sid.clone()), (ada.live(), sid.clone())] {
            let message = format!("The call '{sid}' was not found");
            client.get(&format!("{BASE}/Calls/{sid}")).await.assert_fone_error(400, "CALL_NOT_FOUND", &message, None);
        }
        let message = "The property 'S123' was not found";
        ada.test().get(&format!("{BASE}/Properties/S123/Calls")).await.assert_fone_error(400, "PROPERTY_NOT_FOUND", message, None);
        let message = format!("The account '{}' was not found", account_sid(ada.account));
        bob.test().get(&of_account(&ada)).await.assert_fone_error(400, "ACCOUNT_NOT_FOUND", &message, None);
        let powerless = ada.test_with(&[Scope::NumbersRead]).await;
        let message = "You do not have permission to access this resource";
        for path in [format!("{BASE}/Calls/{sid}"), of_account(&ada), format!("{BASE}/Properties/{}/Calls", first_project(&ada))] {
            powerless.get(&path).await.assert_fone_error(403, "FORBIDDEN", message, None);
        }
    }

    async fn filters_combine(server: Server) {
        let ada = server.account("Ada").await;
        let (client, path) = (ada.test(), of_account(&ada));
        let number = |text| PhoneNumber::from_e164(text).expect(text);
        let base = || at(&ada, 0);
        let with = |seconds: i64| Call { started_at: DAWN.plus_seconds(seconds), ..base() };
        let owed = |source: &str, medium: &str, campaign: &str, content: &str| tandem_domain::call::Attribution {
            source: Some(source.to_owned()), medium: Some(medium.to_owned()), campaign: Some(campaign.to_owned()), content: Some(content.to_owned()),
        };
        let keys = |keys: &str| keys.split(',').map(str::to_owned).collect::<Vec<_>>();
        let calls = vec![
            Call { attribution: owed("google", "cpc", "spring", "a"), prompts: keys("1"), ..with(1) },
            Call { disposition: Disposition::Busy, to: number(OTHER), attribution: owed("google", "organic", "autumn", "b"), prompts: keys("1,2"), ..with(2) },
            Call { disposition: Disposition::Ivr, endpoint: None, prompts: keys("3,5"), ..with(3) },
            Call { disposition: Disposition::Failed, endpoint: Some(number("+61299995555")), from: Some(number("+61412345679")), attribution: owed("bing", "cpc", "spring", "b"), prompts: keys("12"), ..with(4) },
            Call { disposition: Disposition::NoAnswer, from: None, ..with(5) },
        ];
        ada.write_calls(Test, calls).await;
        for (query, expected) in [
            ("Disposition=Answered", vec![1]),
            ("disposition=busy,IVR", vec![2, 3]),
            ("Disposition=Failed,NoAnswer", vec![4, 5]),
            ("To=%2B61299996666", vec![2]),
            ("To=+61299996666", vec![2]),
            ("To=%2B61299996666,%2B61299998888", vec![1, 2, 3, 4, 5]),
            ("Endpoint=%2B61299995555", vec![4]),
            ("Endpoint=%2B61299995555,%2B61299997777", vec![1, 2, 4, 5]),
            ("To=%2B61299998888&Endpoint=%2B61299997777", vec![1, 5]),
            ("Attribution_Source=google", vec![1, 2]),
            ("Attribution_Source=google,bing&Attribution_Medium=cpc", vec![1, 4]),
            ("Attribution_Campaign=spring&Attribution_Content=b", vec![4]),
            ("Prompts_keys=1", vec![1, 2]),
            ("Prompts_keys=1,2;3,5", vec![2, 3]),
            ("Unique=All", vec![1, 2, 3, 4, 5]),
            ("Unique=unique", vec![1, 4, 5]),
            ("Unique=Repeat", vec![2, 3]),
            ("Unique=Repeat&Disposition=IVR", vec![3]),
            ("Disposition=", vec![1, 2, 3, 4, 5]),
        ] {
            assert_eq!(list(&client, &path, query).await, expected, "{query} on {:?}", server.engine());
        }
        let dates = |from: i64, to: i64| format!("Date_From={}&Date_To={}", DAWN.seconds() + from, DAWN.seconds() + to);
        assert_eq!(list(&client, &path, &dates(2, 4)).await, [2, 3], "from is inclusive, to is not");
        assert_eq!(list(&client, &path, &format!("{}&Disposition=IVR", dates(2, 4))).await, [3]);
        assert_eq!(list(&client, &path, &format!("Date_From={}", DAWN.seconds() + 5)).await, [5]);
    }

    async fn what_is_wrong_is_named(server: Server) {
        let ada = server.account("Ada").await;
        let (dates, many) = ("The Date_From parameter must be between 0 and 253402128000", vec!["x"; 51].join(","));
        for path in [of_account(&ada), format!("{BASE}/Properties/{}/Calls", first_project(&ada))] {
            for (query, code, message, field) in [
                ("Date_From=yesterday", "PARAMETER_INVALID", "The Date_From parameter must be a whole number", "Date_From"),
                ("Date_From=-1", "PARAMETER_INVALID", dates, "Date_From"),
                ("Date_From=2&Date_To=2", "PARAMETER_INVALID", "The Date_To parameter must be later than Date_From", "Date_To"),
                ("Disposition=Answered,Gone", "UNKNOWN_DISPOSITION", "'Gone' is not a known disposition", "Disposition"),
                ("Unique=Some", "PARAMETER_INVALID", "The Unique parameter must be one of: All, Unique, Repeat", "Unique"),
                ("Results_Count=0", "PARAMETER_INVALID", "The Results_Count parameter must be between 1 and 200", "Results_Count"),
                ("Results_Count=201", "PARAMETER_INVALID", "The Results_Count parameter must be between 1 and 200", "Results_Count"),
                ("Results_Skip=10001", "PARAMETER_INVALID", "The Results_Skip parameter must be between 0 and 10000", "Results_Skip"),
                ("Token=nonsense", "PARAMETER_INVALID", "The Token parameter must be a Token of an earlier answer", "Token"),
                ("PageToken=nonsense", "PARAMETER_INVALID", "The PageToken parameter must be a NextPageToken of an earlier answer", "PageToken"),
                ("PageToken=00000000000000000000000001", "PARAMETER_INVALID", "The PageToken parameter must be a NextPageToken of an earlier answer", "PageToken"),
                ("Prompts_keys=a", "PARAMETER_INVALID", "The Prompts_keys parameter must have keys with commas between the levels of a menu and semicolons between alternatives, as in 1,2;3", "Prompts_keys"),
                (&format!("Attribution_Source={many}"), "PARAMETER_INVALID", "The Attribution_Source parameter must have at most 50 entries", "Attribution_Source"),
            ] {
                ada.test().get(&format!("{path}?{query}")).await.assert_fone_error(400, code, message, Some(field));
            }
            for field in ["To", "Endpoint"] {
                let refused = ada.test().get(&format!("{path}?{field}=%2B61299998888,12")).await;
                assert_eq!(refused.assert_status(400).body["ResponseStatus"]["ErrorCode"], "INVALID_PHONENUMBER_FORMAT", "{refused}");
                assert_eq!(refused.body["ResponseStatus"]["Errors"][0]["FieldName"], field, "{refused}");
            }
        }
        let bob = server.account("Bob").await;
        let theirs = token(&bob.test().get(&of_account(&bob)).await);
        let message = "The Token parameter must be a Token of an earlier answer";
        ada.test().get(&format!("{}?Token={theirs}", of_account(&ada))).await
            .assert_fone_error(400, "PARAMETER_INVALID", message, Some("Token"));
    }

    async fn pages_lead_on_in_the_order_in_which_calls_began(server: Server) {
        let ada = server.account("Ada").await;
        let (client, path) = (ada.test(), of_account(&ada));
        // Written in another order than begun, and several at one instant.
        let calls = [7, 3, 3, 3, 9, 1, 5, 3].map(|seconds| at(&ada, seconds)).to_vec();
        ada.write_calls(Test, calls).await;
        let mut all = Vec::new();
        let mut sids = std::collections::BTreeSet::new();
        let mut query = "Results_Count=3".to_owned();
        loop {
            let page = client.get(&format!("{path}?{query}")).await;
            all.extend(begun(&page));
            sids.extend(page.body["Calls"].as_array().expect("calls").iter().map(|call| call["CallSid"].to_string()));
            let Some(next) = page.body["NextPageToken"].as_str() else { break };
            query = format!("Results_Count=3&PageToken={next}");
        }
        assert_eq!((all, sids.len()), (vec![1, 3, 3, 3, 3, 5, 7, 9], 8));
        assert_eq!(list(&client, &path, "Results_Count=2&Results_Skip=5").await, [5, 7]);
        assert_eq!(list(&client, &path, "Results_Skip=8").await, [0_i64; 0]);
    }

    async fn a_project_has_its_own_calls(server: Server) {
        let ada = server.account("Ada").await;
        let made = ada.test().post(&format!("{BASE}/Properties"), json!({ "Name": "Shop", "MainDomain": "shop.example.com", "TimeZone": "UTC" })).await;
        let shop = made.assert_status(200).body["Property"]["PropertySid"].as_str().expect("a sid").to_owned();
        let id = PropertyId::from_bytes(tandem_domain::sid::parse_sid(letter::PROPERTY, &shop).expect("a sid"));
        let calls = vec![at(&ada, 1), Call { property: id, ..at(&ada, 2) }, Call { property: id, ..at(&ada, 3) }];
        ada.write_calls(Test, calls).await;
        ada.write_calls(Live, vec![Call { environment: ada.live.environment, property: PropertyId::from_bytes(*ada.live.environment.as_bytes()), ..at(&ada, 4) }]).await;
        let of = |sid: &str| format!("{BASE}/Properties/{sid}/Calls");
        assert_eq!(list(&ada.test(), &of(&shop), "").await, [2, 3]);
        assert_eq!(list(&ada.test(), &of(&shop), "Unique=Unique").await, [2], "callers are new to each project");
        assert_eq!(list(&ada.test(), &of(&shop), "To=%2B61299998888&Disposition=Answered").await, [2, 3]);
        assert_eq!(list(&ada.test(), &of(&first_project(&ada)), "").await, [1]);
        assert_eq!(list(&ada.test(), &of_account(&ada), "").await, [1, 2, 3]);
        assert_eq!(list(&ada.live(), &of_account(&ada), "").await, [4]);
    }

    async fn a_token_leads_to_what_was_written_since(server: Server) {
        let ada = server.account("Ada").await;
        let (client, path) = (ada.test(), of_account(&ada));
        let empty = client.get(&path).await;
        let since = |token: &str, more: &str| {
            let (client, path) = (client.clone(), format!("{path}?Token={token}{more}"));
            async move { client.get(&path).await }
        };
        assert_eq!(begun(&since(&token(&empty), "").await), [0_i64; 0]);
        // The later one is written first.
        ada.write_calls(Test, vec![at(&ada, 9), at(&ada, 4)]).await;
        let first = since(&token(&empty), "").await;
        assert_eq!(begun(&first), [4, 9]);
        assert_eq!(begun(&since(&token(&first), "").await), [0_i64; 0]);
        ada.write_calls(Test, vec![at(&ada, 1), Call { disposition: Disposition::Busy, ..at(&ada, 2) }]).await;
        assert_eq!(begun(&since(&token(&first), "").await), [1, 2], "also what began before");
        assert_eq!(begun(&since(&token(&first), "&Disposition=Busy&Date_From=0&Date_To=1").await), [2], "it takes the place of the dates");
        // A full page's own token leads to the rest.
        let mut all = Vec::new();
        let mut place = token(&empty);
        for _ in 0..5 {
            let page = since(&place, "&Results_Count=1").await;
            all.extend(begun(&page));
            place = token(&page);
        }
        assert_eq!(all, [9, 4, 1, 2]);
        let by_dates = client.get(&format!("{path}?Date_From=0&Results_Count=1")).await;
        assert_eq!(begun(&since(&token(&by_dates), "").await), [0_i64; 0], "every list gives one out");
        for query in ["&Results_Skip=1", "&PageToken=00000000000000000000000000"] {
            since(&place, query).await.assert_status(400);
        }
    }

    async fn a_token_misses_and_repeats_nothing_while_calls_are_written(server: Server) {
        const WRITERS: i64 = 8;
        const EACH: i64 = 25;
        let ada = server.account("Ada").await;
        ada.unlimited(Test).await;
        let (client, path) = (ada.test(), of_account(&ada));
        let mut place = token(&client.get(&path).await);
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            let ada = ada.clone();
            writers.spawn(async move {
                for round in 0..EACH {
                    // Begun long ago, and in no order.
                    ada.write_calls(Test, vec![at(&ada, (writer * 7919 + round * 104_729) % 10_007)]).await;
                }
            });
        }
        let mut seen: Vec<Value> = Vec::new();
        while seen.len() < usize::try_from(WRITERS * EACH).unwrap() {
            let page = client.get(&format!("{path}?Token={place}&Results_Count=7")).await;
            place = token(page.assert_status(200));
            let calls = page.body["Calls"].as_array().expect("calls");
            seen.extend(calls.iter().map(|call| call["CallSid"].clone()));
            if calls.is_empty() && writers.is_empty() {
                break;
            }
            while writers.try_join_next().is_some() {}
        }
        let distinct: std::collections::BTreeSet<String> = seen.iter().map(Value::to_string).collect();
        assert_eq!((seen.len(), distinct.len()), (200, 200), "on {:?}", server.engine());
        assert_eq!(server.count("SELECT MAX(written) FROM calls").await, 200);
    }
}

//! Finding numbers for sale.

use serde_json::json;
use tandem_testkit::{Server, on_both};

use super::{SEARCH, buy, found, row};
use crate::examples;

/// Checks what a query finds.
async fn assert_finds(server: &Server, query: &str, numbers: Vec<String>, total: u64) {
    let ada = server.account("Searcher").await;
    let answer = ada.test().get(&format!("{SEARCH}?{query}")).await;
    assert_eq!(found(&answer), (numbers, total), "{query}{answer}");
}

/// Checks the refusal of a query whose `param` is at fault.
async fn assert_refuses(server: &Server, query: &str, code: &str, message: &str, param: &str) {
    let ada = server.account("Searcher").await;
    let answer = ada.test().get(&format!("{SEARCH}?{query}")).await;
    answer.assert_audian_error(400, code, "invalid_request_error", message, Some(param));
}

on_both! {
    async fn an_offer_says_what_it_is_and_what_it_costs(server: Server) {
        let ada = server.account("Ada").await;
        ada.test().get(&format!("{SEARCH}?pattern=2125550100")).await.assert(200, &json!({
            "success": true,
            "data": {
                "numbers": [{
                    "number": "+12125550100",
                    "location": "New York, NY",
                    "available": true,
                    "price": { "monthly": 1.49, "setup": 1 },
                    "features": ["voice"],
                }],
                "total": 1, "limit": 10, "offset": 0,
            },
        }));
        let offer = ada.test().get(&format!("{SEARCH}?pattern=4155550100")).await;
        assert_eq!(offer.data()["numbers"][0], json!({
            "number": "+14155550100",
            "location": "San Francisco, CA",
            "available": true,
            "price": { "monthly": 0.99, "setup": 0 },
            "features": ["voice", "sms", "mms"],
        }));
    }

    async fn without_criteria_the_whole_inventory_is_paged_in_order(server: Server) {
        let ada = server.account("Ada").await;
        let (first, total) = found(&ada.live().get(SEARCH).await);
        assert_eq!((first, total), (row(12_125_550_100, 10), 40 + 1 + 10 + 5 + 5 + 20));
        let mut all = Vec::new();
        for offset in (0..90).step_by(7) {
            let (page, again) = found(&ada.live().get(&format!("{SEARCH}?limit=7&offset={offset}")).await);
            assert_eq!(again, total);
            all.extend(page);
        }
        assert_eq!(all.len() as u64, total);
        let mut sorted = all.clone();
        sorted.sort_by_key(|number| number[1..].parse::<u64>().expect("digits"));
        sorted.dedup();
        assert_eq!(all, sorted);
        assert_eq!(found(&ada.live().get(&format!("{SEARCH}?offset=1000000000")).await), (Vec::new(), total));
    }

    async fn a_location_is_a_country_a_state_or_an_area(server: Server) {
        assert_finds(&server, "location=US-NY", row(12_125_550_100, 10), 10).await;
        assert_finds(&server, "location=US-NY-212&limit=2", row(12_125_550_100, 2), 10).await;
        assert_finds(&server, "location=US-CA-310&limit=1", row(13_105_550_100, 1), 20).await;
        assert_finds(&server, "location=CA", row(16_045_550_100, 5), 5).await;
        assert_finds(&server, "location=CA-BC-604&offset=4", row(16_045_550_104, 1), 5).await;
        assert_finds(&server, "location=GB", row(442_079_460_100, 5), 5).await;
        assert_finds(&server, "location=AU", Vec::new(), 0).await;
        assert_finds(&server, "location=US-TX", Vec::new(), 0).await;
    }

    async fn a_location_that_is_none_says_why(server: Server) {
        let ada = server.account("Ada").await;
        for text in ["California", "US-", "USA", "US-CA-415-1", "US_CA", "-", "US%20CA"] {
            let answer = ada.test().get(&format!("{SEARCH}?location={text}")).await;
            answer.assert(400, examples::by_code("invalid_location"));
        }
        for (location, reason) in [
            ("XX", "there is no such country"),
            ("US-XX", "the country has no such state"),
            ("US-CA-41", "the country has no such area code"),
            ("US-CA-999", "the country has no such area code"),
            ("US-NY-415", "the area code lies in another state"),
        ] {
            let message = format!("The location {location} is not supported: {reason}");
            let answer = ada.test().get(&format!("{SEARCH}?location={location}")).await;
            answer.assert_audian_error(400, "invalid_location", "invalid_request_error", &message, Some("location"));
        }
    }

    async fn a_pattern_is_of_national_digits(server: Server) {
        assert_finds(&server, "pattern=415*&limit=2", vec!["+14153569377".to_owned(), "+14155550100".to_owned()], 41).await;
        assert_finds(&server, "pattern=415&limit=1", vec!["+14153569377".to_owned()], 41).await;
        assert_finds(&server, "pattern=*0139", vec!["+14155550139".to_owned()], 1).await;
        assert_finds(&server, "pattern=415555010%3F", row(14_155_550_100, 10), 10).await;
        assert_finds(&server, "pattern=415555010x", row(14_155_550_100, 10), 10).await;
        assert_finds(&server, "pattern=FLOWERS", Vec::new(), 0).await;
        assert_finds(&server, "pattern=*FLOWERS", vec!["+14153569377".to_owned()], 1).await;
        assert_finds(&server, "pattern=415flowers", vec!["+14153569377".to_owned()], 1).await;
        assert_finds(&server, "pattern=*3569*", vec!["+14153569377".to_owned()], 1).await;
        assert_finds(&server, "pattern=20794601*", row(442_079_460_100, 5), 5).await;
        assert_finds(&server, "pattern=20794601*&location=US", Vec::new(), 0).await;
        assert_finds(&server, "pattern=999*", Vec::new(), 0).await;
    }

    async fn a_pattern_that_is_none_names_what_is_wrong(server: Server) {
        let rule = "The pattern parameter must have digits, letters, *, ? and x only, but has '!' at place 2";
        assert_refuses(&server, "pattern=4!5", "invalid_parameter", rule, "pattern").await;
        let ada = server.account("Ada").await;
        ada.test().get(&format!("{SEARCH}?pattern=&location=")).await.assert_status(200);
        for pattern in ["%2B1415", "4%005", "é", &"1".repeat(65), &"*".repeat(64), &"*1".repeat(32)] {
            let answer = ada.test().get(&format!("{SEARCH}?pattern={pattern}")).await;
            answer.assert_status(400);
            assert_eq!((&answer.body["error"]["code"], &answer.body["error"]["param"]), (&json!("invalid_parameter"), &json!("pattern")));
        }
    }

    async fn features_are_read_in_every_encoding_and_all_are_wanted(server: Server) {
        for query in ["features=sms,mms", "features=sms&features=mms", "features[]=mms&features[]=sms", "features=sms,%20mms"] {
            let expected: Vec<String> = row(14_155_550_100, 40).into_iter().step_by(4).collect();
            assert_finds(&server, query, expected, 10).await;
        }
        assert_finds(&server, "features=fax", Vec::new(), 0).await;
        assert_finds(&server, "features=&location=US-NY", row(12_125_550_100, 10), 10).await;
        let message = "The features parameter must be one of: voice, sms, mms, fax";
        for query in ["features=voice,telepathy", "features=sms,", "features=,,"] {
            assert_refuses(&server, query, "invalid_parameter", message, "features").await;
        }
    }

    async fn a_limit_outside_its_range_is_refused(server: Server) {
        let ada = server.account("Ada").await;
        for limit in ["0", "101", "-1", "99999999999999999999"] {
            let answer = ada.test().get(&format!("{SEARCH}?limit={limit}")).await;
            answer.assert(400, examples::by_code("invalid_parameter"));
        }
        for limit in ["abc", "", "1.5", "1e1", "0x10"] {
            let answer = ada.test().get(&format!("{SEARCH}?limit={limit}")).await;
            let message = "The limit parameter must be a whole number";
            answer.assert_audian_error(400, "invalid_request_error", "invalid_request_error", message, Some("limit"));
        }
        for limit in ["1", "100"] {
            ada.test().get(&format!("{SEARCH}?limit={limit}")).await.assert_status(200);
        }
        let message = "The offset parameter must be between 0 and 1000000000";
        assert_refuses(&server, "offset=-1", "invalid_parameter", message, "offset").await;
        assert_refuses(&server, "offset=1000000001", "invalid_parameter", message, "offset").await;
    }

    async fn the_gravest_fault_is_answered_first(server: Server) {
        let message = "The limit parameter must be a whole number";
        assert_refuses(&server, "location=California&offset=-1&limit=x", "invalid_request_error", message, "limit").await;
    }

    async fn an_unknown_parameter_is_ignored_and_named(server: Server) {
        let ada = server.account("Ada").await;
        let answer = ada.test().get(&format!("{SEARCH}?locaton=US-NY&zebra=1")).await;
        answer.assert_status(200).assert_header("x-tandem-hint", "locaton is ignored; did you mean location?; zebra is ignored");
        assert_eq!(found(&answer).1, found(&ada.test().get(SEARCH).await).1);
        ada.test().get(&format!("{SEARCH}?location=US-NY")).await.assert_no_header("x-tandem-hint");
    }

    async fn what_is_sold_is_not_found(server: Server) {
        let ada = server.account("Ada").await;
        buy(&ada.test(), "+12125550100").await;
        assert_finds(&server, "location=US-NY", row(12_125_550_101, 9), 9).await;
        let (live, _) = found(&ada.live().get(&format!("{SEARCH}?location=US-NY")).await);
        assert_eq!(live, row(12_125_550_100, 10));
        server.restart().await;
        assert_finds(&server, "location=US-NY", row(12_125_550_101, 9), 9).await;
    }

    async fn reserved_numbers_are_not_found(server: Server) {
        assert_finds(&server, "pattern=628200006x", Vec::new(), 0).await;
        assert_finds(&server, "pattern=628200005x&limit=1", row(16_282_000_050, 1), 10).await;
    }
}

//! Numbers that can be bought.

use serde_json::{Value, json};
use tandem_domain::purchase::Offer;
use tandem_kernel::Environment;
use tandem_testkit::{Answer, LOCAL, Stage, offer, on_both};

use super::BASE;

/// Numbers of every type in three countries.
pub fn shelf(_: Environment) -> Vec<Offer> {
    let local =
        |phone: &str, requirement: &str| Offer { address_requirement: requirement.to_owned(), ..offer(phone, LOCAL, &["voice"]) };
    let mut offers = vec![
        local("+61892000100", "local"),
        local("+61392000100", "any"),
        offer("+611800123456", LOCAL, &["voice"]),
        offer("+611300123456", LOCAL, &["voice"]),
        offer("+61480000100", LOCAL, &["voice", "sms"]),
        offer("+14155550100", LOCAL, &["voice", "sms", "mms"]),
        offer("+14155550101", LOCAL, &["voice", "sms"]),
        offer("+442079460100", LOCAL, &["voice"]),
    ];
    offers.extend((100..110).map(|last| local(&format!("+61292000{last}"), "local")));
    offers
}

fn numbers(answer: &Answer) -> (Vec<String>, u64) {
    answer.assert_status(200);
    let list = answer.body["AvailableNumbers"].as_array().expect("a list").iter();
    let list = list.map(|offer| offer["Number"].as_str().expect("a number").to_owned()).collect();
    (list, answer.body["TotalCount"].as_u64().expect("a total"))
}

fn names(list: &Value, name: &str) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|item| item[name].as_str().unwrap_or("").to_owned()).collect()
}

on_both! {
    async fn countries_are_those_with_numbers(stage: Stage) {
        let server = stage.offers(shelf).start().await;
        let ada = server.account("Ada").await;
        ada.test().get(&format!("{BASE}/Countries")).await.assert(200, &json!({
            "Countries": [
                { "CountryCode": "AU", "Name": "Australia", "CallingCode": 61, "Available": 15 },
                { "CountryCode": "GB", "Name": "United Kingdom", "CallingCode": 44, "Available": 1 },
                { "CountryCode": "US", "Name": "United States", "CallingCode": 1, "Available": 2 },
            ],
            "TotalCount": 3,
        }));
    }

    async fn a_number_is_described_field_by_field(stage: Stage) {
        let server = stage.offers(shelf).start().await;
        let ada = server.account("Ada").await;
        let first = ada.test().get(&format!("{BASE}/Countries/au/AvailableNumbers?City=sydney&Results_Count=1")).await;
        first.assert(200, &json!({
            "AvailableNumbers": [{
                "Number": "+61292000100", "Type": "Local", "Capabilities": ["Voice"], "CountryCode": "AU", "Region": "NSW", "City": "Sydney",
                "AddressRequirement": "Local", "MonthlyPrice": 0.99, "SetupPrice": 0, "Currency": "USD",
            }],
            "TotalCount": 10, "NextPageToken": first.body["NextPageToken"],
        }));
    }

    async fn a_token_leads_through_all_of_them(stage: Stage) {
        let server = stage.offers(shelf).start().await;
        let ada = server.account("Ada").await;
        let path = format!("{BASE}/Countries/AU/AvailableNumbers");
        let (all, total) = numbers(&ada.test().get(&path).await);
        let (mut found, mut next) = (Vec::new(), String::new());
        loop {
            let page = ada.test().get(&format!("{path}?Results_Count=5&PageToken={next}")).await;
            found.extend(numbers(&page).0);
            match page.body["NextPageToken"].as_str() {
                Some(token) => next = token.to_owned(),
                None => break,
            }
        }
        assert_eq!((found.len() as u64, found), (total, all));
        let said = "The PageToken parameter must be a NextPageToken of an earlier answer";
        let other = "06bq2n8c4w0000000000000000";
        ada.test().get(&format!("{path}?PageToken={other}")).await.assert_fone_error(400, "PARAMETER_INVALID", said, Some("PageToken"));
        let both = format!("{path}?PageToken={next}&Results_Skip=1");
        let said = "The Results_Skip parameter must be left out beside a PageToken";
        ada.test().get(&both).await.assert_fone_error(400, "PARAMETER_INVALID", said, Some("Results_Skip"));
    }

    async fn they_are_found_by_type_capability_place_and_digits(stage: Stage) {
        let server = stage.offers(shelf).start().await;
        let ada = server.account("Ada").await;
        let find = async |country: &str, query: &str| {
            numbers(&ada.test().get(&format!("{BASE}/Countries/{country}/AvailableNumbers?{query}")).await)
        };
        let one = |number: &str| (vec![number.to_owned()], 1);
        assert_eq!(find("AU", "Type=Toll-Free").await, one("+611800123456"));
        assert_eq!(find("AU", "type=shared-rate").await, one("+611300123456"));
        assert_eq!(find("AU", "Type=National").await, one("+61480000100"));
        assert_eq!(find("AU", "Type=Local").await.1, 12);
        assert_eq!(find("AU", "Capabilities=Voice,sms").await, one("+61480000100"));
        assert_eq!(find("US", "Capabilites=MMS").await, one("+14155550100"));
        assert_eq!(find("AU", "Region=WA").await, one("+61892000100"));
        assert_eq!(find("AU", "Region=victoria").await, one("+61392000100"));
        assert_eq!(find("AU", "Region=NSW&City=Sydney").await.1, 10);
        assert_eq!(find("US", "City=San+Francisco&Prefix=4155").await.1, 2);
        assert_eq!(find("AU", "Prefix=8").await, one("+61892000100"));
        assert_eq!(find("AU", "Contains=20001&Type=Local&Region=NSW").await.1, 10);
        assert_eq!(find("AU", "Prefix=29&Contains=0107").await, one("+61292000107"));
        assert_eq!(find("AU", "Prefix=29&Results_Skip=9").await, (vec!["+61292000109".to_owned()], 10));
        assert_eq!(find("AU", "Prefix=29&Results_Skip=20").await, (vec![], 10));
    }

    async fn what_was_bought_is_found_no_more(stage: Stage) {
        let server = stage.offers(shelf).start().await;
        let ada = server.account("Ada").await;
        let path = format!("{BASE}/Countries/GB/AvailableNumbers");
        assert_eq!(numbers(&ada.test().get(&path).await).1, 1);
        ada.test().post("/audian/v2/numbers/purchase", json!({ "number": "+442079460100" })).await.assert_status(201);
        ada.test().get(&path).await.assert_fone_error(403, "COUNTRY_UNAVAILABLE", "The country GB is not available", None);
    }

    async fn locations_are_regions_and_their_cities(stage: Stage) {
        let server = stage.offers(shelf).start().await;
        let ada = server.account("Ada").await;
        let regions = ada.test().get(&format!("{BASE}/Countries/AU/Locations")).await;
        assert_eq!(names(&regions.assert_status(200).body["Locations"], "Region"), ["ACT", "NSW", "NT", "QLD", "SA", "TAS", "VIC", "WA"]);
        assert_eq!(regions.body["Locations"][1], json!({ "CountryCode": "AU", "Region": "NSW", "RegionName": "New South Wales", "City": null }));
        let mut cities = Vec::new();
        let mut next = String::new();
        loop {
            let page = ada.test().get(&format!("{BASE}/Countries/AU/Locations?Region=NSW&Results_Count=200&PageToken={next}")).await;
            let found = names(&page.assert_status(200).body["Locations"], "City");
            cities.extend(found.clone());
            let Some(token) = page.body["NextPageToken"].as_str() else {
                assert_eq!(cities.len() as u64, page.body["TotalCount"].as_u64().unwrap());
                break;
            };
            next = token.to_owned();
            assert_eq!(found.len(), 200);
        }
        assert!(cities.is_sorted() && cities.contains(&"Sydney".to_owned()) && cities.contains(&"Dubbo".to_owned()), "{cities:?}");
        for city in ["Sydney", "Dubbo"] {
            ada.test().get(&format!("{BASE}/Countries/AU/AvailableNumbers?City={city}")).await.assert_status(200);
        }
    }

    async fn what_is_wrong_is_named(stage: Stage) {
        let server = stage.offers(shelf).start().await;
        let ada = server.account("Ada").await;
        for (path, status, code, message, field) in [
            ("Australia/AvailableNumbers", 400, "INVALID_COUNTRYCODE_FORMAT", "'Australia' is not an ISO 3166-1 country code", Some("CountryCode")),
            ("A/Locations", 400, "INVALID_COUNTRYCODE_FORMAT", "'A' is not an ISO 3166-1 country code", Some("CountryCode")),
            ("ZZ/AvailableNumbers", 400, "COUNTRY_NOT_FOUND", "There is no country 'ZZ'", None),
            ("ZZ/Locations", 400, "COUNTRY_NOT_FOUND", "There is no country 'ZZ'", None),
            ("FR/AvailableNumbers", 403, "COUNTRY_UNAVAILABLE", "The country FR is not available", None),
            ("AQ/Locations", 403, "COUNTRY_UNAVAILABLE", "The country AQ is not available", None),
            ("AU/AvailableNumbers?Region=XX", 400, "LOCATION_NOT_FOUND",
                "The location AU-XX is not supported: the country has no such region", Some("Region")),
            ("AU/Locations?Region=XX", 400, "LOCATION_NOT_FOUND",
                "The location AU-XX is not supported: the country has no such region", Some("Region")),
            ("AU/AvailableNumbers?Region=VIC&City=Sydney", 400, "LOCATION_NOT_FOUND",
                "The location AU-VIC, Sydney is not supported: there is no such city", Some("City")),
            ("AU/AvailableNumbers?City=Atlantis", 400, "LOCATION_NOT_FOUND",
                "The location AU, Atlantis is not supported: there is no such city", Some("City")),
            ("AU/AvailableNumbers?Type=Mobile", 400, "UNKNOWN_NUMBERTYPE", "'Mobile' is not a known number type", Some("Type")),
            ("AU/AvailableNumbers?Capabilities=Fax", 400, "UNKNOWN_CAPABILITY", "'Fax' is not a known capability", Some("Capabilities")),
            ("AU/AvailableNumbers?Capabilites=Voice,x", 400, "UNKNOWN_CAPABILITY", "'x' is not a known capability", Some("Capabilites")),
            ("AU/AvailableNumbers?Prefix=2a", 400, "PARAMETER_INVALID",
                "The Prefix parameter must be 1 to 15 digits of the number without its calling code", Some("Prefix")),
            ("AU/AvailableNumbers?Results_Count=201", 400, "PARAMETER_INVALID",
                "The Results_Count parameter must be between 1 and 200", Some("Results_Count")),
        ] {
            ada.test().get(&format!("{BASE}/Countries/{path}")).await.assert_fone_error(status, code, message, field);
        }
    }
}

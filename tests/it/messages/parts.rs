//! Messages that come in by parts.

use serde_json::{Value, json};
use tandem_app::{
    messages::gateway::{self, IncomingPart, Whose},
    smscs::POCKET,
};
use tandem_domain::message::{Encoding, Sender};
use tandem_kernel::{Environment::Test, PhoneNumber};
use tandem_testkit::{Client, Persona, Server, on_both};

use super::{MESSAGES, OURS, THEIRS};
use crate::numbers::buy;

async fn owner(server: &Server) -> (Persona, Client) {
    let ada = server.account("Ada").await;
    ada.unlimited(Test).await;
    let client = ada.test();
    buy(&client, OURS).await;
    (ada, client)
}

fn piece(reference: u16, part: u8, parts: u8, text: &str) -> IncomingPart {
    let number = |text: &str| PhoneNumber::from_e164(text).expect(text);
    let whose = Whose { smsc: POCKET, from: Sender::Number(number(THEIRS)), to: number(OURS), reference, parts };
    let octets = Encoding::Gsm.write(text).expect("plain text");
    IncomingPart { whose, kind: Test, part, encoding: Encoding::Gsm, octets, id: String::new() }
}

async fn comes(server: &Server, part: IncomingPart) {
    gateway::receive_part(&server.app(), part).await.expect("taken in");
}

/// The texts that have come in, the latest first.
async fn texts(client: &Client) -> Vec<String> {
    let listed = client.get(&format!("{MESSAGES}?direction=inbound")).await;
    let messages = listed.assert_status(200).data()["messages"].as_array().expect("a list").clone();
    messages.iter().map(|message| message["body"].as_str().expect("a text").to_owned()).collect()
}

on_both! {
    async fn parts_come_in_any_order_and_twice(server: Server) {
        let (ada, client) = owner(&server).await;
        for (part, text) in [(3, "three"), (1, "one, "), (1, "one, "), (3, "three")] {
            comes(&server, piece(7, part, 3, text)).await;
        }
        // Somebody else's, of the same reference.
        let mut other = piece(7, 2, 3, "another's, ");
        other.whose.from = Sender::Name("Acme".to_owned());
        comes(&server, other).await;
        assert_eq!(texts(&client).await, Vec::<String>::new());
        for (part, text) in [(2, "two, "), (2, "two, "), (1, "one, "), (3, "three")] {
            comes(&server, piece(7, part, 3, text)).await;
        }
        assert_eq!(texts(&client).await, ["one, two, three"]);
        ada.advance(30 * 60 + 1).await;
        assert_eq!(texts(&client).await, ["[...]another's, [...]", "one, two, three"]);
    }

    async fn what_has_come_is_delivered_after_half_an_hour(server: Server) {
        let (ada, client) = owner(&server).await;
        comes(&server, piece(9, 2, 5, "the middle")).await;
        comes(&server, piece(9, 5, 5, " and the end")).await;
        ada.advance(29 * 60).await;
        assert_eq!(texts(&client).await, Vec::<String>::new());
        ada.advance(61).await;
        let listed = client.get(&format!("{MESSAGES}?direction=inbound")).await;
        let message = listed.assert_status(200).data()["messages"][0].clone();
        assert_eq!(message["body"], "[...]the middle[...] and the end");
        let id = message["id"].as_str().expect("an id");
        let explained = client.get(&format!("/v1/messages/{id}/explain")).await;
        let told = explained.assert_status(200).body.to_string();
        assert!(told.contains("segment 1, 3, 4 of 5 did not") && told.contains("[...] stands for the rest"), "{told}");
        // Its parts are known for a while, and what comes too late is a text of its own.
        comes(&server, piece(9, 5, 5, " and the end")).await;
        comes(&server, piece(9, 1, 5, "the beginning, ")).await;
        ada.advance(31 * 60).await;
        assert_eq!(texts(&client).await, ["the beginning, [...]", "[...]the middle[...] and the end"]);
    }

    async fn a_reference_is_used_again(server: Server) {
        let (ada, client) = owner(&server).await;
        for (part, text) in [(1, "first "), (2, "text"), (1, "second "), (2, "text, longer"), (1, "third "), (1, "fourth "), (2, "text")] {
            comes(&server, piece(1, part, 2, text)).await;
        }
        assert_eq!(texts(&client).await, ["fourth text", "third [...]", "second text, longer", "first text"]);
        // With ids of their own, the same words are another message.
        for id in ["a", "b", "b", "c", "d", "d", "c"] {
            let part = if matches!(id, "a" | "c") { 1 } else { 2 };
            comes(&server, IncomingPart { id: id.to_owned(), ..piece(2, part, 2, "Alarm! ") }).await;
        }
        assert_eq!(texts(&client).await[..2], ["Alarm! Alarm! ", "Alarm! Alarm! "]);
        ada.advance(3600).await;
        assert_eq!(texts(&client).await.len(), 6, "nothing is left over");
    }

    async fn characters_may_lie_across_a_border_and_alphabets_may_differ(server: Server) {
        let (_ada, client) = owner(&server).await;
        let wide = Encoding::Ucs2.write("Привет 👋!").expect("octets");
        let (one, two) = wide.split_at(wide.len() - 4);
        for (part, octets) in [(1, one), (2, two)] {
            comes(&server, IncomingPart { encoding: Encoding::Ucs2, octets: octets.to_vec(), ..piece(3, part, 2, "") }).await;
        }
        comes(&server, IncomingPart { encoding: Encoding::Latin1, octets: b"\xe9t\xe9 ".to_vec(), ..piece(4, 1, 2, "") }).await;
        comes(&server, piece(4, 2, 2, "[€]")).await;
        assert_eq!(texts(&client).await, ["été [€]", "Привет 👋!"]);
        let mut nobody = piece(5, 1, 2, "to nobody");
        nobody.whose.to = PhoneNumber::from_e164("+14155550123").expect("a number");
        comes(&server, nobody).await;
        let shown: Value = client.get(&format!("{MESSAGES}?direction=inbound")).await.data()["total"].clone();
        assert_eq!(shown, json!(2));
    }
}

//! What must hold of every store, whatever a scenario did to it.

use tandem_app::{App, audit::verify_ledger};

/// Queries that find nothing in a sound store, with what a row would mean. The first column says where.
const UNSOUND: &[(&str, &str)] = &[
    (
        "a number that an account has is not marked so in the inventory",
        "SELECT CAST(n.phone AS TEXT) FROM numbers n JOIN environments e ON e.id = n.environment_id \
         LEFT JOIN inventory i ON i.kind = e.kind AND i.number = n.phone \
         WHERE n.state IN ('active', 'suspended', 'porting_out') AND (i.state IS NULL OR i.state <> 'assigned' OR i.holder <> n.environment_id)",
    ),
    (
        "a number of the inventory is assigned to somebody who does not have it",
        "SELECT CAST(i.number AS TEXT) FROM inventory i WHERE i.state = 'assigned' AND i.holder IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM numbers n WHERE n.environment_id = i.holder AND n.phone = i.number AND n.state <> 'released')",
    ),
    (
        "two accounts have one number",
        "SELECT CAST(n.phone AS TEXT) FROM numbers n JOIN environments e ON e.id = n.environment_id WHERE n.state <> 'released' \
         GROUP BY e.kind, n.phone HAVING COUNT(*) > 1",
    ),
    (
        "a pending order has no work scheduled that would settle it",
        "SELECT CAST(o.phone AS TEXT) FROM orders o WHERE o.state = 'pending' AND NOT EXISTS \
         (SELECT 1 FROM jobs j WHERE j.kind = 'order.settle' AND j.subject = o.id)",
    ),
    (
        "an active number has no renewal scheduled",
        "SELECT CAST(n.phone AS TEXT) FROM numbers n WHERE n.state IN ('active', 'suspended') AND NOT EXISTS \
         (SELECT 1 FROM jobs j WHERE j.kind = 'number.renew' AND j.subject = n.id)",
    ),
    (
        "a number that rests is never put up for sale again",
        "SELECT 'some number' WHERE (SELECT COUNT(*) FROM inventory WHERE state = 'quarantined') > \
         (SELECT COUNT(*) FROM jobs WHERE kind = 'inventory.release')",
    ),
    (
        "events of one object have a gap in their sequence",
        "SELECT object FROM events GROUP BY object HAVING MAX(sequence) <> COUNT(*)",
    ),
    (
        "a message on its way has no work scheduled that would give it up",
        "SELECT m.recipient FROM messages m WHERE m.state IN ('queued', 'sending', 'sent') AND NOT EXISTS \
         (SELECT 1 FROM jobs j WHERE j.kind = 'message.expire' AND j.subject = m.environment_id AND j.step = m.expires_at)",
    ),
    (
        "a message waits for a time at which nobody would send it",
        "SELECT m.recipient FROM messages m WHERE m.state = 'scheduled' AND NOT EXISTS \
         (SELECT 1 FROM jobs j WHERE j.kind = 'message.schedule' AND j.subject = m.environment_id AND j.step = m.scheduled_at)",
    ),
    (
        "a message ended more than once",
        "SELECT object FROM events WHERE kind IN ('message.delivered', 'message.undelivered', 'message.expired', 'message.failed', \
         'message.received') GROUP BY object HAVING COUNT(*) > 1",
    ),
    (
        "a message waits that nobody would ever hand out",
        "SELECT o.recipient FROM outbox o WHERE o.state = 'behind' AND NOT EXISTS (SELECT 1 FROM outbox f WHERE f.state <> 'behind' \
         AND f.environment_id = o.environment_id AND f.recipient = o.recipient)",
    ),
    (
        "a pending verification has no end scheduled",
        "SELECT CAST(v.phone AS TEXT) FROM verifications v WHERE v.state = 'pending' AND NOT EXISTS \
         (SELECT 1 FROM jobs j WHERE j.kind = 'verification.expire' AND j.subject = v.id)",
    ),
    (
        "a verification that is over still has its code, or one that is not has none",
        "SELECT CAST(phone AS TEXT) FROM verifications WHERE (state = 'pending') <> (code_sealed IS NOT NULL) \
         OR (code_sealed IS NULL) <> (code_mac IS NULL) OR (state = 'pending') <> (ended_at IS NULL)",
    ),
    (
        "an object has more than one terminal event",
        "SELECT object FROM events WHERE kind IN ('verify.checked', 'verify.failed', 'verify.expired', 'verify.canceled') \
         GROUP BY object HAVING COUNT(*) > 1",
    ),
    (
        "verifications ended without an event that tells of it",
        "SELECT 'some number' WHERE (SELECT COUNT(*) FROM verifications WHERE state <> 'pending') <> (SELECT COUNT(*) FROM events \
         WHERE kind IN ('verify.checked', 'verify.failed', 'verify.expired', 'verify.canceled'))",
    ),
    ("a balance is below zero", "SELECT 'a wallet' FROM wallets WHERE available < 0 OR held < 0"),
];

/// Panics where the store is unsound: the books first, then what else must hold.
pub async fn leftovers(app: &App) {
    let books = verify_ledger(app, |_| {}).await.expect("the books can be checked");
    assert!(books.is_clean(), "the scenario left books that do not add up:\n{}", books.faults.join("\n"));
    let found = app.store.scan(|tx| {
        let mut found = Vec::new();
        for (meaning, sql) in UNSOUND {
            found.extend(tx.query(sql, &[])?.iter().map(|row| format!("{meaning}: {}", row.text(0).unwrap_or("?"))));
        }
        Ok(found)
    });
    let found = found.await.expect("the store can be looked over");
    assert!(found.is_empty(), "the scenario left this behind:\n{}", found.join("\n"));
}

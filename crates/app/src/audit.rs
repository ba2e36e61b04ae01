//! Checking that the books are right: each wallet against its transfers, and numbers, inventory, orders, ports and invoices
//! against the wallets.
//!
//! Each environment is looked at in one state of the database, so the check can run beside a server at work.

use std::collections::HashMap;

use tandem_catalogue::Result;
use tandem_domain::{port::PortState, purchase::OfferState};
use tandem_kernel::{Currency, Environment, EnvironmentId, Money, NumberId, PortId, TransferId};
use tandem_ledger::{Category, Transfer, TransferKind};
use tandem_store::{
    Tx,
    repo::{
        accounts, invoices, ledger, ports,
        verify::{self, Number},
    },
};

use crate::{App, holds::HOLD_JOB, numbers::RENEWAL_JOB};

/// Wallets, numbers and rows of the inventory that are read at a time.
const PAGE: i64 = 500;
const INVENTORY_PAGE: i64 = 5_000;
/// Faults that are put in words.
const MOST_FAULTS: usize = 10_000;

/// What was checked and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerReport {
    /// Wallets that were recomputed.
    pub wallets: u64,
    /// Transfers in them.
    pub transfers: u64,
    /// Numbers that were compared, released ones too.
    pub numbers: u64,
    /// Invoices that were compared.
    pub invoices: u64,
    /// Rows of the inventory that were compared.
    pub inventory: u64,
    /// What is wrong, in words for operators; nothing, if all is well.
    pub faults: Vec<String>,
}

impl LedgerReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    fn add(&mut self, faults: Vec<String>) {
        let room = MOST_FAULTS.saturating_sub(self.faults.len());
        self.faults.extend(faults.into_iter().take(room));
    }
}

/// Checks everything. `progress` is told again and again how far it came.
///
/// # Errors
/// Faults of the store. What is wrong with the books is no error but in the report.
pub async fn verify_ledger(app: &App, mut progress: impl FnMut(&LedgerReport) + Send) -> Result<LedgerReport> {
    let mut report = LedgerReport::default();
    let mut after = EnvironmentId::from_bytes([0; 16]);
    loop {
        let wallets = app.store.read(move |tx| ledger::wallets(tx, after, PAGE)).await?;
        let Some(last) = wallets.last() else { break };
        after = last.id;
        for wallet in wallets {
            let checked = app.store.scan(move |tx| environment(tx, wallet.id, wallet.currency)).await?;
            report.wallets += 1;
            report.transfers += checked.transfers;
            report.numbers += checked.numbers;
            report.invoices += checked.invoices;
            report.add(checked.faults.into_iter().map(|fault| format!("{}: {fault}", wallet.id)).collect());
            progress(&report);
        }
    }
    for kind in [Environment::Live, Environment::Test] {
        let mut after = 0;
        loop {
            let (rows, last, faults) = app.store.scan(move |tx| shelf(tx, kind, after)).await?;
            report.inventory += rows;
            report.add(faults);
            progress(&report);
            let Some(last) = last else { break };
            after = last;
        }
    }
    Ok(report)
}

/// What was paid for by name of the object: how many charges, and how much.
type Paid = HashMap<String, (i64, i64)>;

/// The check of one environment.
struct Check {
    id: EnvironmentId,
    currency: Currency,
    paid: Paid,
    transfers: u64,
    numbers: u64,
    invoices: u64,
    faults: Vec<String>,
}

fn environment(tx: &mut Tx, id: EnvironmentId, currency: Currency) -> Result<Check> {
    let (paid, faults) = (HashMap::new(), Vec::new());
    let mut check = Check { id, currency, paid, transfers: 0, numbers: 0, invoices: 0, faults };
    check.wallet(tx)?;
    check.numbers(tx)?;
    check.holds(tx)?;
    Ok(check)
}

impl Check {
    /// The chain of transfers, and the invoices that sum up what they charged.
    fn wallet(&mut self, tx: &mut Tx) -> Result<()> {
        let invoices = invoices::all(tx, self.id)?;
        let covered = invoices.last().map(|last| (last.sequence, last.period_end));
        let mut charged: i64 = 0;
        let (paid, transfers) = (&mut self.paid, &mut self.transfers);
        let faults = ledger::audit_with(tx, self.id, |transfer| {
            *transfers += 1;
            note_paid(paid, transfer);
            let spent =
                transfer.spent().filter(|_| covered.is_some_and(|(last, end)| transfer.sequence <= last && transfer.at < end));
            charged = charged.saturating_add(spent.map_or(0, |spent| spent.amount));
        })?;
        self.faults.extend(faults);
        let mut invoiced: i64 = 0;
        for invoice in &invoices {
            let lines = invoice.lines.iter().map(|line| line.amount).fold(0, i64::saturating_add);
            if lines != invoice.amount.micros {
                let (amount, lines) = (invoice.amount, self.money(lines));
                self.faults.push(format!("invoice {} is about {amount}, its lines sum to {lines}", invoice.id));
            }
            invoiced = invoiced.saturating_add(invoice.amount.micros);
        }
        if invoiced != charged {
            let (invoiced, charged) = (self.money(invoiced), self.money(charged));
            self.faults.push(format!("its invoices sum to {invoiced}, what was charged until the last one to {charged}"));
        }
        self.invoices = u64::try_from(invoices.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// Each number against what was paid for it, and what was paid against the numbers.
    fn numbers(&mut self, tx: &mut Tx) -> Result<()> {
        let settings = accounts::environment(tx, self.id)?;
        let Some(kind) = settings.map(|settings| settings.kind) else {
            self.faults.push("the environment of the wallet does not exist".to_owned());
            return Ok(());
        };
        let mut after = NumberId::from_bytes([0; 16]);
        loop {
            let page = verify::numbers(tx, (self.id, kind), RENEWAL_JOB, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for number in &page {
                self.numbers += 1;
                self.charges(tx, number)?;
                if number.state != "released" && number.state != "porting" {
                    self.possession(number);
                }
            }
        }
        for (name, (count, amount)) in std::mem::take(&mut self.paid) {
            let amount = self.money(amount);
            self.faults.push(format!("{count} charges of {amount} in all were made for {name}, to which no number belongs"));
        }
        Ok(())
    }

    /// One purchase, or one fee of the port that brought it, and a renewal for each further month.
    fn charges(&mut self, tx: &mut Tx, number: &Number) -> Result<()> {
        let name = format!("number {} ({})", number.id, number.phone);
        let (origin, renewals) = match origin(number) {
            Some(Origin::Purchase(order)) => {
                (Some((order, number.setup.saturating_add(number.monthly))), number.periods_paid.saturating_sub(1))
            }
            Some(Origin::Port(id)) => {
                let port = ports::by_id(tx, id)?;
                let fee = port.filter(|port| matches!(port.state, PortState::Completed { .. })).map(|port| port.fee.micros);
                (fee.map(|fee| (id.to_string(), fee)), number.periods_paid)
            }
            None => {
                self.faults.push(format!("{name} has no record of how it came here"));
                return Ok(());
            }
        };
        if let Some((reference, price)) = origin {
            self.expect_paid(&name, &reference, i64::from(price > 0), price);
        }
        let renewals = if number.monthly > 0 { renewals } else { 0 };
        self.expect_paid(&name, &number.id.to_string(), renewals, renewals.saturating_mul(number.monthly));
        Ok(())
    }

    fn expect_paid(&mut self, name: &str, reference: &str, count: i64, amount: i64) {
        let paid = self.paid.remove(reference).unwrap_or_default();
        if paid != (count, amount) {
            let (due, made) = (self.money(amount), self.money(paid.1));
            let made = format!("{} of {made} in all were made", paid.0);
            self.faults.push(format!("{name} should have {count} charges of {due} in all for {reference}, {made}"));
        }
    }

    /// The inventory says that the environment has the number, so nobody else can have it; and its next month is scheduled.
    fn possession(&mut self, number: &Number) {
        let name = format!("number {} ({})", number.id, number.phone);
        match &number.offer {
            Some((state, Some(holder))) if state == OfferState::Assigned.as_str() && *holder == self.id => {}
            Some((state, holder)) => {
                let holder = holder.map_or("nobody".to_owned(), |holder| holder.to_string());
                self.faults.push(format!("{name} is here, but the inventory has it as {state}, held by {holder}"));
            }
            None => self.faults.push(format!("{name} is here, but the inventory does not know it")),
        }
        if !number.scheduled {
            self.faults.push(format!("month {} of {name} is not scheduled", number.periods_paid.saturating_add(1)));
        }
    }

    /// Each open hold has somebody who will settle it, and whoever needs a hold has it.
    fn holds(&mut self, tx: &mut Tx) -> Result<()> {
        let mut open: HashMap<TransferId, i64> =
            ledger::open_holds(tx, self.id)?.into_iter().map(|hold| (hold.id, hold.remaining)).collect();
        let orders = verify::pending_orders(tx, self.id)?.into_iter();
        let ports = verify::open_ports(tx, self.id)?.into_iter();
        let messages = verify::unsent_messages(tx, self.id)?.into_iter().map(|(id, hold)| (id.to_string(), hold));
        let owners = orders.map(|(id, hold)| (id.to_string(), hold)).chain(ports.map(|(id, hold)| (id.to_string(), hold)));
        let calls = verify::live_calls(tx, self.id)?.into_iter().map(|(id, hold)| (id.to_string(), hold));
        let owners = owners.chain(messages).chain(calls);
        for (owner, hold) in owners {
            if let Some(hold) = hold
                && open.remove(&hold).is_none()
            {
                self.faults.push(format!("{owner} is under way, but nothing is left of its hold {hold}"));
            }
        }
        for (hold, remaining) in open {
            if !verify::is_scheduled(tx, HOLD_JOB, hold.as_bytes(), 0)? {
                let owner = ledger::transfer(tx, hold)?.map_or("nothing known".to_owned(), |transfer| transfer.reference);
                let remaining = self.money(remaining);
                self.faults
                    .push(format!("hold {hold} for {owner} is open with {remaining}, but nothing is under way that settles it"));
            }
        }
        Ok(())
    }

    fn money(&self, micros: i64) -> String {
        format!("{} {}", Money::new(micros, self.currency), self.currency)
    }
}

/// Notes what a transfer paid for a number, its order or its port.
fn note_paid(paid: &mut Paid, transfer: &Transfer) {
    let charged = matches!(transfer.kind, TransferKind::Charge | TransferKind::Capture);
    if charged && matches!(Category::of(&transfer.reference), Category::Numbers | Category::Ports) {
        let (count, amount) = paid.entry(transfer.reference.clone()).or_default();
        *count = count.saturating_add(1);
        *amount = amount.saturating_add(transfer.amount);
    }
}

/// How a number came here.
enum Origin {
    /// By an order.
    Purchase(String),
    /// By a port.
    Port(PortId),
}

/// What a number's first event says.
fn origin(number: &Number) -> Option<Origin> {
    let (kind, data) = number.origin.as_ref()?;
    let data: serde_json::Value = serde_json::from_str(data).ok()?;
    let named = |member: &str| data.get(member).and_then(serde_json::Value::as_str);
    match kind.as_str() {
        "number.purchased" => named("order").map(|order| Origin::Purchase(order.to_owned())),
        "number.porting" => named("port").and_then(PortId::parse).map(Origin::Port),
        _ => None,
    }
}

/// A page of the inventory: how many rows, the last number if there may be more, and what is wrong.
fn shelf(tx: &mut Tx, kind: Environment, after: u64) -> Result<(u64, Option<u64>, Vec<String>)> {
    let page = verify::inventory(tx, kind, after, INVENTORY_PAGE)?;
    let faults = page.iter().filter_map(|shelved| {
        let holder = shelved.holder?;
        let wrong = match shelved.state {
            OfferState::Assigned if !shelved.had => "which does not have it",
            OfferState::Reserved if !shelved.ordered => "which has no order for it",
            OfferState::Available | OfferState::Quarantined => "which cannot be",
            OfferState::Assigned | OfferState::Reserved => return None,
        };
        let (phone, state) = (shelved.phone, shelved.state.as_str());
        Some(format!("{} inventory: {phone} is {state} and held by {holder}, {wrong}", kind.as_str()))
    });
    let rows = u64::try_from(page.len()).unwrap_or(u64::MAX);
    Ok((rows, page.last().map(|shelved| shelved.phone.digits()), faults.collect()))
}

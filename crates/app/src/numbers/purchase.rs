//! Buying a number.
//!
//! A number of our own inventory is bought in one unit of work. For any other carrier there are three steps: the price is
//! held and the number reserved; the carrier is asked; the hold is captured and the number handed over, or both are undone.
//! Whatever is cut off in between is taken up by the repetition of the request or by due work, under the same order id.

use serde_json::json;
use tandem_catalogue::{Error, Result};
use tandem_domain::{
    Explanation,
    address::{Address, Requirement},
    config::NumberConfig,
    event::EventKind,
    number::{Number, NumberState},
    property::{Property, default_of},
    purchase::{self, Held, Offer, OfferState},
};
use tandem_kernel::{AddressId, Caller, Environment, NumberId, OrderId, PhoneNumber, Scope};
use tandem_ledger::{Cause, Posting, transfer_id};
use tandem_store::{
    Tx,
    repo::{
        self, inventory, jobs, ledger, numbers,
        orders::{self, Order, OrderState},
    },
};

use super::renew::RENEWAL_JOB;
use crate::{
    App, Finish, Operation,
    addresses::{self, AddressRef},
    app::{Desk, Pen},
    carrier::{OrderAnswer, OrderStatus},
    due::Done,
    explain, offers, permit,
    properties::{self, PropertyRef},
    spending,
};

/// The due work that finds out what became of an order whose answer was lost.
pub const ORDER_JOB: &str = "order.settle";
/// Seconds after which it asks.
const ASK_AFTER: i64 = 60;
/// Days that the hold of an order is meant to last; the due work settles it long before.
const HOLD_DAYS: i64 = 7;

/// A number to buy.
#[derive(Debug, Clone)]
pub struct PurchaseNumber {
    /// The telephone number.
    pub phone: PhoneNumber,
    /// Its buyer's name for it.
    pub friendly_name: Option<String>,
    /// The property that is to have it; the one that the environment has from the start, if none is named.
    pub property: Option<PropertyRef>,
    /// The address that it is registered with; the first that suits, if none is named.
    pub address: Option<AddressRef>,
}

impl PurchaseNumber {
    /// A number and nothing more.
    #[must_use]
    pub const fn new(phone: PhoneNumber) -> Self {
        Self { phone, friendly_name: None, property: None, address: None }
    }
}

/// What the buyer named, looked up.
struct Named {
    property: Option<Property>,
    address: Option<Address>,
}

#[expect(clippy::large_enum_variant, reason = "one for each purchase, taken apart at once")]
enum Begun {
    Bought(Number),
    Ordered(Order),
}

/// Buys a number from the inventory: the setup and the first month are charged at once.
///
/// # Errors
/// `property_not_found`, `address_not_found`, `insufficient_scope`, `operation_not_allowed` for a property that is not active, then `number_belongs_to_different_property`, `already_exists`, `purchase_in_progress`, `number_not_available`, `spending_limit_reached`,
/// `insufficient_funds`, then the carrier's `bad_gateway` and `carrier_unavailable`.
pub async fn purchase(
    app: &App,
    caller: &Caller,
    operation: Operation,
    command: PurchaseNumber,
    finish: Finish<Number>,
) -> Result<Number> {
    if command.property.is_none() && command.address.is_none() {
        permit(caller, Scope::NumbersWrite)?; // there is nothing to look up before
    }
    let phone = command.phone;
    let begun = begin(app, caller, operation, command, finish.clone()).await;
    let begun = begun.inspect_err(|error| explain::refusal(app, caller, "purchase", format!("{phone} was not bought"), error))?;
    app.stock.set_available(caller.kind, phone, false);
    match begun {
        Begun::Bought(number) => Ok(number),
        Begun::Ordered(order) => ask(app, caller.kind, order, finish).await,
    }
}

async fn begin(app: &App, caller: &Caller, operation: Operation, command: PurchaseNumber, finish: Finish<Number>) -> Result<Begun> {
    let (pen, carriers, caller) = (app.pen(), app.carriers.clone(), *caller);
    let work = move |tx: &mut Tx| {
        let desk = pen.open(tx, caller.environment)?;
        let named = look_up(tx, &caller, &command)?;
        if let Some(begun) = begun_before(tx, &desk, operation, &finish)? {
            return Ok(begun);
        }
        if let Some(property) = named.property.as_ref().filter(|property| !property.active) {
            return Err(Error::operation_not_allowed(format!("The property '{}' is not active", property.name)));
        }
        let owned = numbers::by_phone(tx, caller.environment, command.phone)?;
        let held =
            owned.map(|number| Held { by: number.property, wanted_for: named.property.as_ref().map(|property| property.id) });
        let offer = inventory::lock(tx, caller.kind, command.phone)?;
        let mut explanation = Explanation::of("purchase", caller.request.to_string());
        let offer = purchase::decide(command.phone, offer.as_ref(), caller.environment, held, &mut explanation)?;
        let order = draft(&desk, operation, &command, &named, offer)?;
        spending::check(tx, &desk, offer.price()?.micros)?;
        if carriers.is_local(&offer.carrier)? {
            charge(tx, &desk, &order)?;
            return hand_over(tx, &desk, &order, OfferState::Available, explanation, &finish).map(Begun::Bought);
        }
        hold(tx, &desk, order).map(Begun::Ordered)
    };
    app.store.write(work).await
}

/// Looks up what the buyer names, before the credential is asked whether it may buy.
fn look_up(tx: &mut Tx, caller: &Caller, command: &PurchaseNumber) -> Result<Named> {
    let environment = caller.environment;
    let property = command.property.as_ref().map(|property| properties::find(tx, environment, property)).transpose()?;
    let address = command.address.as_ref().map(|address| addresses::find(tx, environment, address)).transpose()?;
    permit(caller, Scope::NumbersWrite)?;
    Ok(Named { property, address })
}

/// What this very request began before it was cut off: an order that is still open, or one that due work has completed meanwhile.
fn begun_before(tx: &mut Tx, desk: &Desk, operation: Operation, finish: &Finish<Number>) -> Result<Option<Begun>> {
    let order = orders::of_operation(tx, desk.settings.id, &operation.0, desk.now.plus_days(-1))?;
    let Some(order) = order else { return Ok(None) };
    match order.state {
        OrderState::Pending => {
            // The carrier is asked once more: due work must not undo the order meanwhile, whatever it has found out.
            if let Some(job) = jobs::of(tx, ORDER_JOB, order.id.as_bytes(), 0)? {
                let until = desk.now.plus_seconds(ASK_AFTER);
                jobs::postpone(tx, job.id, until, desk.settings.clock.wake_at(until), false)?;
            }
            Ok(Some(Begun::Ordered(order)))
        }
        OrderState::Failed => Ok(None),
        OrderState::Completed => {
            let number = numbers::by_phone(tx, order.environment, order.phone)?;
            number.map(|number| finish(tx, &number).map(|()| Begun::Bought(number))).transpose()
        }
    }
}

fn draft(desk: &Desk, operation: Operation, command: &PurchaseNumber, named: &Named, offer: &Offer) -> Result<Order> {
    if let (Some(address), Some(sent)) = (&named.address, &command.address) {
        check_suits(address, &sent.text, offer.requirement(), command.phone)?;
    }
    Ok(Order {
        id: desk.id(OrderId::new),
        environment: desk.settings.id,
        operation: operation.0,
        phone: command.phone,
        carrier: offer.carrier.clone(),
        friendly_name: command.friendly_name.clone(),
        features: offer.features,
        monthly: offer.monthly,
        setup: offer.setup,
        hold: None,
        property: named.property.as_ref().map_or(default_of(desk.settings.id), |property| property.id),
        address: named.address.as_ref().map(|address| address.id),
        requirement: offer.requirement(),
        state: OrderState::Pending,
        created_at: desk.now,
    })
}

/// Checks that an address is where a number's country wants one.
///
/// # Errors
/// `address_unsuitable`.
pub(super) fn check_suits(address: &Address, sent: &str, requirement: Requirement, phone: PhoneNumber) -> Result<()> {
    match requirement.place(phone) {
        Some(place) if !address.is_in(&place) => {
            Err(Error::address_unsuitable("address", sent.to_owned(), phone.to_string(), place))
        }
        _ => Ok(()),
    }
}

/// The address that a number is registered with: the one that its buyer named, if it is still there, or the first that suits.
fn address_of(tx: &mut Tx, order: &Order, explanation: &mut Explanation) -> Result<Option<AddressId>> {
    if let Some(named) = order.address
        && repo::addresses::get(tx, order.environment, named)?.is_some()
    {
        return Ok(Some(named));
    }
    let Some(place) = order.requirement.place(order.phone) else { return Ok(None) };
    let found = repo::addresses::first_in(tx, order.environment, &place)?;
    explanation.note("the account has an address where the number wants one", place, found.is_some());
    Ok(found.map(|address| address.id))
}

fn cause(desk: &Desk, order: &Order, step: &str, description: String) -> Cause {
    let reference = order.id.to_string();
    let id = transfer_id(desk.settings.id, &[&reference, step]);
    Cause { id, reference, description, purpose: "to purchase this number".into() }
}

fn price(order: &Order) -> i64 {
    order.setup.micros + order.monthly.micros // the import keeps both far below what would overflow
}

fn charge(tx: &mut Tx, desk: &Desk, order: &Order) -> Result<()> {
    if price(order) == 0 {
        return Ok(());
    }
    let cause = cause(desk, order, "purchase", format!("Purchase of {}: setup and first month", order.phone));
    ledger::post(tx, desk.settings.id, vec![(Posting::Charge(price(order)), cause)], desk.now).map(drop)
}

fn hold(tx: &mut Tx, desk: &Desk, mut order: Order) -> Result<Order> {
    if price(&order) > 0 {
        let cause = cause(desk, &order, "hold", format!("Purchase of {}: set aside", order.phone));
        order.hold = Some(cause.id);
        let posting = Posting::Hold(price(&order), desk.now.plus_days(HOLD_DAYS));
        ledger::post(tx, desk.settings.id, vec![(posting, cause)], desk.now)?;
    }
    orders::insert(tx, &order)?;
    let states = (OfferState::Available, OfferState::Reserved);
    offers::shift(tx, desk, order.phone, states, Some(order.environment))?;
    desk.schedule(tx, ORDER_JOB, *order.id.as_bytes(), 0, desk.now.plus_seconds(ASK_AFTER))?;
    Ok(order)
}

/// Asks the carrier for the number and brings the order to its end, or leaves it to due work where the answer was lost.
async fn ask(app: &App, kind: Environment, order: Order, finish: Finish<Number>) -> Result<Number> {
    let carrier = app.carriers.guarded(&order.carrier, order.environment, app.machine_now())?;
    match carrier.order(&order).await {
        Ok(OrderAnswer::Accepted) => complete(app, order, finish).await,
        Ok(OrderAnswer::Gone) => {
            let phone = order.phone.to_string();
            fail(app, kind, order, false).await?;
            Err(Error::number_not_available(phone))
        }
        Err(mishap) if mishap.uncertain => Err(mishap.error),
        Err(mishap) => {
            fail(app, kind, order, true).await?;
            Err(mishap.error)
        }
    }
}

async fn complete(app: &App, order: Order, finish: Finish<Number>) -> Result<Number> {
    let pen = app.pen();
    app.store.write(move |tx| complete_in(tx, &pen, &order, &finish)).await
}

fn complete_in(tx: &mut Tx, pen: &Pen, order: &Order, finish: &Finish<Number>) -> Result<Number> {
    let desk = pen.open(tx, order.environment)?;
    if let Some(number) = settled(tx, order)? {
        return Ok(number);
    }
    orders::close(tx, order.id, OrderState::Completed)?;
    if let Some(hold) = order.hold {
        let cause = cause(&desk, order, "purchase", format!("Purchase of {}: setup and first month", order.phone));
        ledger::post(tx, order.environment, vec![(Posting::Capture(hold, price(order)), cause)], desk.now)?;
    }
    let mut explanation = Explanation::of("purchase", order.id.to_string());
    explanation.note("the carrier accepts the order", order.carrier.clone(), true);
    hand_over(tx, &desk, order, OfferState::Reserved, explanation, finish)
}

/// The number of an order that somebody else completed meanwhile.
fn settled(tx: &mut Tx, order: &Order) -> Result<Option<Number>> {
    match orders::get(tx, order.id)?.map(|order| order.state) {
        Some(OrderState::Completed) => {
            let number = numbers::by_phone(tx, order.environment, order.phone)?;
            number.map(Some).ok_or_else(|| Error::number_not_available(order.phone.to_string()))
        }
        Some(OrderState::Failed) => Err(Error::number_not_available(order.phone.to_string())),
        _ => Ok(None),
    }
}

fn hand_over(
    tx: &mut Tx,
    desk: &Desk,
    order: &Order,
    from: OfferState,
    mut explanation: Explanation,
    finish: &Finish<Number>,
) -> Result<Number> {
    let states = (from, OfferState::Assigned);
    offers::shift(tx, desk, order.phone, states, Some(order.environment))?;
    let address = address_of(tx, order, &mut explanation)?;
    let number = Number {
        id: NumberId::from_bytes(*order.id.as_bytes()), // a transfer for an order leads to the number that it became
        environment: order.environment,
        property: order.property,
        requirement: order.requirement,
        address,
        phone: order.phone,
        state: NumberState::Active,
        friendly_name: order.friendly_name.clone(),
        carrier: order.carrier.clone(),
        features: order.features,
        monthly: order.monthly,
        setup: order.setup,
        config: NumberConfig::default(),
        purchased_at: desk.now,
        periods_paid: 1,
        version: 1,
    };
    numbers::insert(tx, &number)?;
    desk.schedule(tx, RENEWAL_JOB, *number.id.as_bytes(), 1, number.next_charge())?;
    let name = number.id.to_string();
    desk.event(
        tx,
        &name,
        EventKind::NumberPurchased,
        &json!({ "number": number.phone.to_string(), "order": order.id.to_string() }),
    )?;
    let price = format!("setup {} and first month {}", order.setup, order.monthly);
    explanation.note("the wallet pays setup and first month", price, true);
    explanation.subject = name;
    desk.explain(tx, &explanation.concluding(format!("{} was bought", number.phone)))?;
    finish(tx, &number)?;
    Ok(number)
}

/// Undoes an order that the carrier did not carry out. `again` says whether the number may be offered again.
async fn fail(app: &App, kind: Environment, order: Order, again: bool) -> Result<()> {
    let (pen, phone) = (app.pen(), order.phone);
    let undone = app.store.write(move |tx| {
        let desk = pen.open(tx, order.environment)?;
        fail_in(tx, &desk, &order, again)
    });
    undone.await?;
    if again {
        app.stock.set_available(kind, phone, true);
    }
    Ok(())
}

/// Undoes an order that the carrier does not know, unless a repetition of its request is asking for it once more.
async fn forget(app: &App, kind: Environment, order: Order) -> Result<Done> {
    let (pen, phone) = (app.pen(), order.phone);
    let undone = app.store.write(move |tx| {
        let desk = pen.open(tx, order.environment)?;
        if jobs::of(tx, ORDER_JOB, order.id.as_bytes(), 0)?.is_some_and(|job| job.due_at > desk.now) {
            return Ok(Done::Left);
        }
        fail_in(tx, &desk, &order, true)?;
        Ok(Done::Finished)
    });
    let done = undone.await?;
    if done == Done::Finished {
        app.stock.set_available(kind, phone, true);
    }
    Ok(done)
}

fn fail_in(tx: &mut Tx, desk: &Desk, order: &Order, again: bool) -> Result<()> {
    if orders::get(tx, order.id)?.is_none_or(|order| order.state != OrderState::Pending) {
        return Ok(());
    }
    orders::close(tx, order.id, OrderState::Failed)?;
    if let Some(hold) = order.hold {
        let cause = cause(desk, order, "release", format!("Purchase of {}: not carried out", order.phone));
        ledger::post(tx, order.environment, vec![(Posting::Release(hold, price(order)), cause)], desk.now)?;
    }
    let to = if again { OfferState::Available } else { OfferState::Assigned };
    offers::shift(tx, desk, order.phone, (OfferState::Reserved, to), None)
}

/// Due work: finds out what became of an order whose answer was lost, and completes or undoes it.
///
/// # Errors
/// The carrier's faults and the store's; the work is then tried again later.
pub async fn settle(app: &App, kind: Environment, id: OrderId) -> Result<Done> {
    let order = app.store.read(move |tx| orders::get(tx, id)).await?;
    let Some(order) = order.filter(|order| order.state == OrderState::Pending) else { return Ok(Done::Finished) };
    let carrier = app.carriers.guarded(&order.carrier, order.environment, app.machine_now())?;
    match carrier.order_status(order.id, order.phone).await.map_err(|mishap| mishap.error)? {
        OrderStatus::Accepted => complete(app, order, crate::nothing_more()).await.map(|_| Done::Finished),
        OrderStatus::Unknown => forget(app, kind, order).await,
    }
}

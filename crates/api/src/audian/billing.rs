//! `/billing`: usage, transactions, invoices, spending limits.

use http::{Method, StatusCode};
use tandem_app::billing::{self, LimitView, ListInvoices, ListTransactions, Metered, ReadUsage, SetMonthlyLimit, Usage};
use tandem_catalogue::{Code, Error, Result};
use tandem_domain::{
    billing::{Granularity, Invoice, InvoiceStatus, Transaction, TransactionStatus, TransactionType},
    spending::LimitAction,
};
use tandem_kernel::Timestamp;

use super::{
    billing_dto::{
        ApiCallsDto, CustomerDto, InvoiceDetailDto, InvoiceDto, InvoicesDto, LimitDto, LimitsDto, LineDto, MeterDto, MetersDto,
        NumbersHeldDto, PeriodDto, StepDto, TransactionDto, TransactionsDto, UsageDto,
    },
    dto::Success,
    numbers::{LIMIT, OFFSET, page},
};
use crate::http::{Call, Endpoint, Field, Form, Kind, Reply, reply::number as amount};

const TAG: &str = "Billing";
const START: Field = Field::new("start_date", Kind::Time, "The first day.", r#""2024-01-01""#);
const END: Field = Field::new("end_date", Kind::Time, "The last day, which counts.", r#""2024-01-31""#);
const MOST_AMOUNT: i64 = 1_000_000_000_000_000;

const USAGE: &[Field] = &[
    START,
    END,
    Field::new("granularity", Kind::Choice(&["day", "week", "month"]), "By which steps it is counted.", r#""month""#),
];
const TRANSACTIONS: &[Field] = &[
    Field::new(
        "type",
        Kind::Choice(&["charge", "payment", "credit", "refund", "adjustment", "fee"]),
        "Only transactions of this type.",
        r#""charge""#,
    ),
    Field::new(
        "status",
        Kind::Choice(&["pending", "completed", "failed", "cancelled", "reversed"]),
        "Only transactions in this state.",
        r#""completed""#,
    ),
    START,
    END,
    LIMIT,
    OFFSET,
];
const INVOICES: &[Field] = &[
    Field::new("status", Kind::Choice(&["draft", "issued", "paid", "overdue"]), "Only invoices in this state.", r#""paid""#),
    START,
    END,
    LIMIT,
    OFFSET,
];
const MONTHLY: &[Field] = &[
    Field::new("amount", Kind::Amount { min: 0, max: MOST_AMOUNT }, "The most that a calendar month may cost.", "100").required(),
    Field::new("action", Kind::Choice(&["alert", "block"]), "What happens then; alert unless said.", r#""block""#),
    Field::new(
        "notifications",
        Kind::Ints { min: 1, max: 100, most: billing::MOST_NOTIFICATIONS },
        "Percentages at which you are told.",
        "[50,80,100]",
    ),
];

/// The operations.
pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("getUsage", Method::GET, "/billing/usage", "What was used in a period.", usage)
            .tag(TAG)
            .query(USAGE)
            .answers::<Success<UsageDto>>(StatusCode::OK),
        Endpoint::new("listTransactions", Method::GET, "/billing/transactions", "The movements of the wallet.", transactions)
            .tag(TAG)
            .query(TRANSACTIONS)
            .answers::<Success<TransactionsDto>>(StatusCode::OK),
        Endpoint::new("listInvoices", Method::GET, "/billing/invoices", "The monthly invoices.", invoices)
            .tag(TAG)
            .query(INVOICES)
            .answers::<Success<InvoicesDto>>(StatusCode::OK),
        Endpoint::new("getInvoice", Method::GET, "/billing/invoices/{invoice_id}", "One invoice in full.", invoice)
            .tag(TAG)
            .path_docs(&[("invoice_id", "The invoice's id.")])
            .answers::<Success<InvoiceDetailDto>>(StatusCode::OK)
            .codes(&[Code::InvoiceNotFound]),
        Endpoint::new("listLimits", Method::GET, "/billing/limits", "The limits on spending.", limits)
            .tag(TAG)
            .answers::<Success<LimitsDto>>(StatusCode::OK),
        Endpoint::new("setMonthlyLimit", Method::PUT, "/billing/limits/monthly", "Limit a month's spending.", set_monthly)
            .tag(TAG)
            .body(MONTHLY)
            .answers::<Success<LimitDto>>(StatusCode::OK),
    ]
}

async fn usage(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let granularity = form.choice("granularity").and_then(Granularity::parse).unwrap_or(Granularity::Month);
    let (from, until) = period(&mut form);
    form.finish()?;
    let found = billing::usage(&call.app, &call.caller()?, ReadUsage { from, until, granularity }).await?;
    Ok(Reply::json(StatusCode::OK, &Success::of(usage_dto(&found))))
}

async fn transactions(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let kind = form.choice("type").and_then(TransactionType::parse);
    let status = form.choice("status").and_then(TransactionStatus::parse);
    let (from, until) = period(&mut form);
    let (limit, offset) = page(&mut form, 20);
    form.finish()?;
    let command = ListTransactions { kind, status, from, until, limit, offset };
    let found = billing::transactions(&call.app, &call.caller()?, command).await?;
    let transactions = found.transactions.iter().map(transaction_dto).collect();
    Ok(Reply::json(StatusCode::OK, &Success::of(TransactionsDto { transactions, total: found.total, limit, offset })))
}

async fn invoices(call: Call) -> Result<Reply> {
    let mut form = call.query_form()?;
    let status = form.choice("status").and_then(InvoiceStatus::parse);
    let (from, until) = period(&mut form);
    let (limit, offset) = page(&mut form, 20);
    form.finish()?;
    let found = billing::list_invoices(&call.app, &call.caller()?, ListInvoices { status, from, until, limit, offset }).await?;
    let invoices = found.invoices.iter().map(invoice_dto).collect();
    Ok(Reply::json(StatusCode::OK, &Success::of(InvoicesDto { invoices, total: found.total, limit, offset })))
}

async fn invoice(call: Call) -> Result<Reply> {
    let found = billing::get_invoice(&call.app, &call.caller()?, call.param("invoice_id").to_owned()).await?;
    let lines = found.invoice.lines.iter();
    let lines =
        lines.map(|line| LineDto { category: line.category.as_str(), count: line.count, amount: amount(line.amount) }).collect();
    let customer = found.customer;
    let customer = CustomerDto { id: customer.id.to_string(), name: customer.name, email: customer.email };
    let data = InvoiceDetailDto { invoice: invoice_dto(&found.invoice), customer, lines };
    Ok(Reply::json(StatusCode::OK, &Success::of(data)))
}

async fn limits(call: Call) -> Result<Reply> {
    let found = billing::limits(&call.app, &call.caller()?).await?;
    Ok(Reply::json(StatusCode::OK, &Success::of(LimitsDto { limits: found.iter().map(limit_dto).collect() })))
}

async fn set_monthly(call: Call) -> Result<Reply> {
    let mut form = call.body_form()?;
    let (limit, action, notifications) = (form.amount("amount"), form.choice("action"), form.ints("notifications"));
    form.finish()?;
    let command = SetMonthlyLimit {
        amount: limit.ok_or_else(Error::internal)?,
        action: action.and_then(LimitAction::parse).unwrap_or(LimitAction::Alert),
        notifications: notifications.unwrap_or_default(),
    };
    let render = |view: &LimitView| Reply::json(StatusCode::OK, &Success::of(limit_dto(view)));
    let caller = call.caller()?;
    call.answer(render, |finish| billing::set_monthly_limit(&call.app, &caller, command, finish)).await
}

/// The instants of `start_date` and `end_date`: a bare last day counts whole.
fn period(form: &mut Form) -> (Option<Timestamp>, Option<Timestamp>) {
    let (from, until) = (form.time("start_date"), form.time("end_date"));
    let until = until.map(|until| if until == until.start_of_day() { until.plus_days(1) } else { until });
    (from, until)
}

fn usage_dto(usage: &Usage) -> UsageDto {
    let meter = |meter: &Metered| MeterDto {
        count: meter.count,
        unit_cost: amount(meter.unit_cost.micros),
        cost: amount(meter.cost.micros),
    };
    UsageDto {
        billing_period: PeriodDto { start: usage.start.to_string(), end: usage.end.to_string() },
        usage: MetersDto {
            api_calls: ApiCallsDto {
                count: usage.api_calls.count,
                limit: usage.api_calls.limit,
                percentage: usage.api_calls.used.map_or(serde_json::Value::Null, hundredths),
                cost: amount(usage.api_calls.cost.micros),
            },
            sms_messages: meter(&usage.sms_messages),
            voice_minutes: meter(&usage.voice_minutes),
            phone_numbers: NumbersHeldDto {
                count: usage.phone_numbers.count,
                unit_cost: amount(usage.phone_numbers.unit_cost.micros),
                monthly_cost: amount(usage.phone_numbers.monthly_cost.micros),
            },
        },
        total_charges: amount(usage.total_charges.micros),
        estimated_final_charge: amount(usage.estimated_final_charge.micros),
        currency: usage.total_charges.currency.to_string(),
        breakdown: usage
            .steps
            .iter()
            .map(|step| StepDto {
                start: step.start.to_string(),
                end: step.end.to_string(),
                api_calls: step.api_calls,
                charges: amount(step.charges.micros),
            })
            .collect(),
    }
}

fn transaction_dto(transaction: &Transaction) -> TransactionDto {
    TransactionDto {
        id: transaction.id.to_string(),
        r#type: transaction.kind.as_str(),
        description: transaction.description.clone(),
        amount: amount(transaction.amount.micros),
        currency: transaction.amount.currency.to_string(),
        status: transaction.status.as_str(),
        created_at: transaction.created_at.to_string(),
        reference: transaction.reference.clone(),
    }
}

fn invoice_dto(invoice: &Invoice) -> InvoiceDto {
    InvoiceDto {
        id: invoice.id.to_string(),
        invoice_number: invoice.number(),
        issue_date: invoice.issue_date().date(),
        due_date: invoice.issue_date().date(),
        period_start: invoice.period_start.date(),
        period_end: invoice.period_end.plus_seconds(-1).date(),
        amount: amount(invoice.amount.micros),
        currency: invoice.amount.currency.to_string(),
        status: invoice.status().as_str(),
        paid_at: invoice.issued_at.map(|at| at.to_string()),
    }
}

fn limit_dto(view: &LimitView) -> LimitDto {
    LimitDto {
        id: view.limit.id.to_string(),
        r#type: "monthly",
        amount: amount(view.limit.amount.micros),
        currency: view.limit.amount.currency.to_string(),
        action: view.limit.action.as_str(),
        status: "active",
        current_usage: amount(view.current_usage.micros),
        remaining: amount(view.remaining.micros),
        percentage_used: hundredths(view.used),
        notifications: view.limit.notifications.clone(),
        created_at: view.limit.created_at.to_string(),
    }
}

/// Hundredths as a JSON number.
fn hundredths(value: i64) -> serde_json::Value {
    amount(value.saturating_mul(10_000))
}

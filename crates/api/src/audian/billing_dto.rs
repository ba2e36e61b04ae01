//! The wire types of `/billing`.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What was used in a period.
#[derive(Serialize, ToSchema)]
pub struct UsageDto {
    /// The period.
    pub billing_period: PeriodDto,
    /// What was used.
    pub usage: MetersDto,
    /// What was charged.
    #[schema(value_type = f64, example = 12.5)]
    pub total_charges: Value,
    /// What will have been charged when the period is over.
    #[schema(value_type = f64, example = 15.47)]
    pub estimated_final_charge: Value,
    /// The account's currency.
    pub currency: String,
    /// The period's steps, in order.
    pub breakdown: Vec<StepDto>,
}

/// A stretch of time.
#[derive(Serialize, ToSchema)]
pub struct PeriodDto {
    /// Its first instant.
    #[schema(format = "date-time")]
    pub start: String,
    /// The instant after its last.
    #[schema(format = "date-time")]
    pub end: String,
}

/// What is counted.
#[derive(Serialize, ToSchema)]
pub struct MetersDto {
    /// Requests to the API.
    pub api_calls: ApiCallsDto,
    /// Text messages.
    pub sms_messages: MeterDto,
    /// Minutes of calls.
    pub voice_minutes: MeterDto,
    /// Numbers held.
    pub phone_numbers: NumbersHeldDto,
}

/// Requests to the API.
#[derive(Serialize, ToSchema)]
pub struct ApiCallsDto {
    /// How many.
    pub count: i64,
    /// How many a month may have; null for any number.
    pub limit: Option<i64>,
    /// How much of the limit that is.
    #[schema(value_type = Option<f64>)]
    pub percentage: Value,
    /// What they cost.
    #[schema(value_type = f64)]
    pub cost: Value,
}

/// Something that is counted, and what it cost.
#[derive(Serialize, ToSchema)]
pub struct MeterDto {
    /// How many.
    pub count: i64,
    /// What one cost on average.
    #[schema(value_type = f64)]
    pub unit_cost: Value,
    /// What they cost.
    #[schema(value_type = f64)]
    pub cost: Value,
}

/// Numbers held.
#[derive(Serialize, ToSchema)]
pub struct NumbersHeldDto {
    /// How many.
    pub count: i64,
    /// What one costs a month on average.
    #[schema(value_type = f64)]
    pub unit_cost: Value,
    /// What they cost a month.
    #[schema(value_type = f64)]
    pub monthly_cost: Value,
}

/// A day, a week or a month of a period.
#[derive(Serialize, ToSchema)]
pub struct StepDto {
    /// Its first instant.
    #[schema(format = "date-time")]
    pub start: String,
    /// The instant after its last.
    #[schema(format = "date-time")]
    pub end: String,
    /// Requests to the API.
    pub api_calls: i64,
    /// What was charged.
    #[schema(value_type = f64)]
    pub charges: Value,
}

/// A movement of the wallet.
#[derive(Serialize, ToSchema)]
pub struct TransactionDto {
    /// Its id.
    pub id: String,
    /// `charge`, `credit`, `refund` or `adjustment`.
    pub r#type: &'static str,
    /// What it was for.
    pub description: String,
    /// How much.
    #[schema(value_type = f64)]
    pub amount: Value,
    /// The account's currency.
    pub currency: String,
    /// `pending`, `completed` or `cancelled`.
    pub status: &'static str,
    /// When it was made.
    #[schema(format = "date-time")]
    pub created_at: String,
    /// The object for whose sake money moved.
    pub reference: String,
}

/// A page of transactions.
#[derive(Serialize, ToSchema)]
pub struct TransactionsDto {
    /// The page, newest first.
    pub transactions: Vec<TransactionDto>,
    /// How many there are in all.
    pub total: i64,
    /// How many were asked for.
    pub limit: i64,
    /// How many were left out.
    pub offset: i64,
}

/// A month's invoice.
#[derive(Serialize, ToSchema)]
pub struct InvoiceDto {
    /// Its id.
    pub id: String,
    /// The number by which people name it.
    pub invoice_number: String,
    /// When it was written, or will be.
    #[schema(format = "date")]
    pub issue_date: String,
    /// When it is due: at once, since wallets are prepaid.
    #[schema(format = "date")]
    pub due_date: String,
    /// The first day of its month.
    #[schema(format = "date")]
    pub period_start: String,
    /// The last day of its month.
    #[schema(format = "date")]
    pub period_end: String,
    /// How much.
    #[schema(value_type = f64)]
    pub amount: Value,
    /// The account's currency.
    pub currency: String,
    /// `draft` or `paid`.
    pub status: &'static str,
    /// When it was paid; null for a draft.
    #[schema(format = "date-time")]
    pub paid_at: Option<String>,
}

/// A page of invoices.
#[derive(Serialize, ToSchema)]
pub struct InvoicesDto {
    /// The page, newest first.
    pub invoices: Vec<InvoiceDto>,
    /// How many there are in all.
    pub total: i64,
    /// How many were asked for.
    pub limit: i64,
    /// How many were left out.
    pub offset: i64,
}

/// A month's invoice in full.
#[derive(Serialize, ToSchema)]
pub struct InvoiceDetailDto {
    /// The invoice.
    #[serde(flatten)]
    pub invoice: InvoiceDto,
    /// Whom it is for.
    pub customer: CustomerDto,
    /// What was paid for.
    pub lines: Vec<LineDto>,
}

/// Whom an invoice is for.
#[derive(Serialize, ToSchema)]
pub struct CustomerDto {
    /// The account's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where its owner reads.
    pub email: String,
}

/// What was paid for.
#[derive(Serialize, ToSchema)]
pub struct LineDto {
    /// On what.
    pub category: &'static str,
    /// How many charges.
    pub count: i64,
    /// How much.
    #[schema(value_type = f64)]
    pub amount: Value,
}

/// A limit on spending.
#[derive(Serialize, ToSchema)]
pub struct LimitDto {
    /// Its id.
    pub id: String,
    /// `monthly`.
    pub r#type: &'static str,
    /// The most that a month may cost.
    #[schema(value_type = f64)]
    pub amount: Value,
    /// The account's currency.
    pub currency: String,
    /// `alert` or `block`.
    pub action: &'static str,
    /// `active`.
    pub status: &'static str,
    /// What this month cost so far.
    #[schema(value_type = f64)]
    pub current_usage: Value,
    /// What this month may still cost.
    #[schema(value_type = f64)]
    pub remaining: Value,
    /// How much of the limit is used.
    #[schema(value_type = f64)]
    pub percentage_used: Value,
    /// Percentages at which its owner is told.
    pub notifications: Vec<i64>,
    /// When it was set.
    #[schema(format = "date-time")]
    pub created_at: String,
}

/// The limits on spending.
#[derive(Serialize, ToSchema)]
pub struct LimitsDto {
    /// All of them.
    pub limits: Vec<LimitDto>,
}

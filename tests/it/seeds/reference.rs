//! What the documentation promises: its table of codes and its table of statuses, each row with the causes that it lists.

/// A code of the error reference.
pub struct Code {
    pub name: &'static str,
    pub status: u16,
    pub kind: &'static str,
    pub retryable: bool,
    pub causes: &'static [&'static str],
}

/// A status of the page about statuses.
pub struct Status {
    pub number: u16,
    pub name: &'static str,
    pub retryable: bool,
    pub causes: &'static [&'static str],
}

const fn once(name: &'static str, status: u16, kind: &'static str, causes: &'static [&'static str]) -> Code {
    Code { name, status, kind, retryable: false, causes }
}

const fn again(name: &'static str, status: u16, kind: &'static str, causes: &'static [&'static str]) -> Code {
    Code { name, status, kind, retryable: true, causes }
}

/// The summary of the error reference, in its order.
pub const CODES: &[Code] = &[
    once(
        "invalid_api_key",
        401,
        "authentication_error",
        &["API key is missing from the request", "API key is malformed", "API key has been revoked", "API key has expired"],
    ),
    once("missing_authentication", 401, "authentication_error", &["Authorization header is missing", "No API key provided"]),
    once(
        "invalid_request_error",
        400,
        "invalid_request_error",
        &["Missing required parameters", "Invalid parameter format", "Invalid parameter values", "Malformed JSON request body"],
    ),
    once(
        "invalid_phone_number",
        400,
        "invalid_request_error",
        &[
            "Phone number is not in E.164 format",
            "Phone number is for an unsupported region",
            "Phone number contains invalid characters",
        ],
    ),
    once(
        "invalid_location",
        400,
        "invalid_request_error",
        &["Location code is not in the correct format", "Location is not supported"],
    ),
    once(
        "invalid_parameter",
        400,
        "invalid_request_error",
        &[
            "Parameter value is outside valid range",
            "Parameter value is invalid for the operation",
            "Parameter combination is invalid",
        ],
    ),
    once("missing_required_parameter", 400, "invalid_request_error", &["Required parameter was not included in the request"]),
    again("rate_limit_error", 429, "rate_limit_error", &["Request rate exceeds API limits", "Monthly quota exceeded"]),
    once(
        "not_found_error",
        404,
        "not_found_error",
        &["Resource ID is invalid", "Resource has been deleted", "Resource belongs to another account"],
    ),
    once(
        "already_exists",
        409,
        "conflict_error",
        &["Resource with the same identifier already exists", "Attempting to create a duplicate resource"],
    ),
    once(
        "resource_conflict",
        409,
        "conflict_error",
        &["Invalid state transition", "Concurrent modification", "Conflicting operations"],
    ),
    once(
        "insufficient_funds",
        402,
        "insufficient_funds_error",
        &["Account balance is too low", "Payment method failed", "Subscription expired"],
    ),
    once(
        "number_not_available",
        422,
        "validation_error",
        &["Number has been purchased by another user", "Number is no longer available", "Number is reserved"],
    ),
    once(
        "cannot_port_number",
        422,
        "validation_error",
        &[
            "Number is not eligible for porting",
            "Number is from an unsupported carrier",
            "Account verification incomplete",
            "Number already pending port",
        ],
    ),
    once(
        "invalid_routing_configuration",
        422,
        "validation_error",
        &["Destination number is invalid", "Call forwarding target is unreachable", "Conference settings are invalid"],
    ),
    once(
        "operation_not_allowed",
        403,
        "forbidden_error",
        &["Insufficient permissions", "Feature not enabled on account", "Operation not available for this resource"],
    ),
    again(
        "internal_server_error",
        500,
        "server_error",
        &["Unexpected server-side error", "Database error", "Third-party service failure"],
    ),
    again("service_unavailable_error", 503, "server_error", &["Server maintenance", "Service overload", "Temporary outage"]),
];

/// Codes that only the page about statuses shows, and the one that its 502 leaves without a name. The causes are ours.
pub const MORE_CODES: &[Code] = &[
    once("forbidden_error", 403, "forbidden_error", &["The key lacks the scope"]),
    once(
        "conflict_error",
        409,
        "conflict_error",
        &["A purchase of the number by this account is under way", "The same request is being processed already"],
    ),
    once(
        "validation_error",
        422,
        "validation_error",
        &["The number to port is in the platform's own inventory", "An Idempotency-Key was used before with another request"],
    ),
    again("bad_gateway_error", 502, "server_error", &["A carrier's answer cannot be understood"]),
];

const fn status(number: u16, name: &'static str, causes: &'static [&'static str]) -> Status {
    Status { number, name, retryable: matches!(number, 429 | 500..), causes }
}

/// The summary of the page about statuses, in its order.
pub const STATUSES: &[Status] = &[
    status(200, "OK", &["The request was successful"]),
    status(201, "Created", &["A new resource was created"]),
    status(202, "Accepted", &["The request was accepted for processing"]),
    status(
        400,
        "Bad Request",
        &["Missing required parameters", "Invalid parameter format", "Invalid JSON in request body", "Invalid query parameters"],
    ),
    status(
        401,
        "Unauthorized",
        &["Missing API key", "Invalid API key", "Expired API key", "Incorrect authorization header format"],
    ),
    status(402, "Payment Required", &["Insufficient account balance", "Credit card declined", "Subscription expired"]),
    status(403, "Forbidden", &["Insufficient permissions", "Account restrictions", "Resource access denied"]),
    status(404, "Not Found", &["Invalid resource ID", "Resource has been deleted", "Resource belongs to another account"]),
    status(409, "Conflict", &["Resource already exists", "Duplicate request", "Invalid state transition"]),
    status(
        422,
        "Unprocessable Entity",
        &["Semantic errors in the request", "Business logic validation failure", "Invalid resource state"],
    ),
    status(429, "Too Many Requests", &["Too many requests in a short time", "Exceeding API quota"]),
    status(500, "Internal Server Error", &["Server-side bug", "Temporary service disruption", "Database error"]),
    status(502, "Bad Gateway", &["Upstream service failure", "Network connectivity issue", "Service misconfiguration"]),
    status(503, "Service Unavailable", &["Server maintenance", "Service overload", "Temporary service outage"]),
];

/// A status of Telephony.io's page of errors, with the code that goes with it.
pub struct TelephonyStatus {
    pub number: u16,
    pub name: &'static str,
    /// None where nothing is wrong. Where the page does not show one it is ours.
    pub code: Option<&'static str>,
    pub retryable: bool,
    pub causes: &'static [&'static str],
}

const fn telephony(
    number: u16,
    name: &'static str,
    code: Option<&'static str>,
    causes: &'static [&'static str],
) -> TelephonyStatus {
    TelephonyStatus { number, name, code, retryable: matches!(number, 429 | 500..), causes }
}

/// The statuses of Telephony.io's page of errors, in its order.
pub const TELEPHONY_STATUSES: &[TelephonyStatus] = &[
    telephony(200, "OK", None, &["The request was successful"]),
    telephony(
        400,
        "Bad Request",
        Some("invalid_parameter"),
        &["Missing required parameters", "Invalid phone number format", "Invalid verification code length"],
    ),
    telephony(
        401,
        "Unauthorized",
        Some("unauthorized"),
        &["The API key is missing", "The API key is invalid", "The API key has been revoked"],
    ),
    telephony(402, "Payment Required", Some("insufficient_balance"), &["Insufficient wallet balance"]),
    telephony(429, "Too Many Requests", Some("rate_limit_exceeded"), &["The rate limit for the account was exceeded"]),
    telephony(500, "Internal Server Error", Some("internal_error"), &["Something went wrong on our end"]),
];

/// The status of Telephony.io's page.
pub fn of_telephony(number: u16) -> &'static TelephonyStatus {
    let found = TELEPHONY_STATUSES.iter().find(|status| status.number == number);
    found.unwrap_or_else(|| panic!("the page has no status {number}"))
}

/// The code of that name, of either list.
pub fn code(name: &str) -> &'static Code {
    let found = CODES.iter().chain(MORE_CODES).find(|code| code.name == name);
    found.unwrap_or_else(|| panic!("the reference has no code {name}"))
}

/// The status.
pub fn of(number: u16) -> &'static Status {
    STATUSES.iter().find(|status| status.number == number).unwrap_or_else(|| panic!("the page has no status {number}"))
}

/// A code of Fone Dynamics' page of errors.
pub struct FoneCode {
    pub name: &'static str,
    pub status: u16,
    /// What the page says leads to it.
    pub cause: &'static str,
    /// Whether the page promises the parameter's name.
    pub named: bool,
}

const fn fone(name: &'static str, cause: &'static str) -> FoneCode {
    FoneCode { name, status: 400, cause, named: false }
}

const fn fone_state(name: &'static str, cause: &'static str) -> FoneCode {
    FoneCode { name, status: 403, cause, named: false }
}

const fn fone_field(name: &'static str, cause: &'static str) -> FoneCode {
    FoneCode { name, status: 400, cause, named: true }
}

/// The codes of Fone Dynamics' page of errors, in its order.
pub const FONE_CODES: &[FoneCode] = &[
    fone_state("ADDRESS_CANNOT_BE_DELETED", "Numbers are linked to the address"),
    fone_state("NUMBER_BELONGS_TO_DIFFERENT_PROPERTY", "The number belongs to another property than the request names"),
    fone_state("COUNTRY_UNAVAILABLE", "The country is not available"),
    fone_state("FORBIDDEN", "Permissions are missing"),
    fone_field("PARAMETER_REQUIRED", "A required parameter is missing"),
    fone_field("PARAMETER_INVALID", "A parameter is not within its bounds"),
    fone("PARAMETER_TOO_SHORT", "A parameter is too short"),
    fone("PARAMETER_TOO_LONG", "A parameter is too long"),
    fone_field("ONE_OF_SEVERAL_PARAMETERS_REQUIRED", "None of several parameters was provided"),
    fone("ADDRESS_NOT_FOUND", "There is no such address"),
    fone("NUMBER_NOT_FOUND", "There is no such number"),
    fone("LOCATION_NOT_FOUND", "The geographical filters lead to no known location"),
    fone("COUNTRY_NOT_FOUND", "There is no such country"),
    fone("PROPERTY_NOT_FOUND", "There is no such property"),
    fone("ACCOUNT_NOT_FOUND", "There is no such account"),
    fone("CALL_NOT_FOUND", "There is no such call"),
    fone("UNKNOWN_ROUTING_METHOD", "The routing method is not known"),
    fone("UNKNOWN_RECORDING_OPTION", "The recording option is not known"),
    fone("UNKNOWN_CAPABILITY", "The capability is not known"),
    fone("UNKNOWN_DISPOSITION", "The disposition is not known"),
    fone("UNKNOWN_NUMBERTYPE", "The number type is not known"),
    fone("INVALID_PHONENUMBER_FORMAT", "The number is not in E.164"),
    fone("INVALID_COUNTRYCODE_FORMAT", "The country code is not one of ISO 3166-1"),
];

/// The statuses of the same page, each with the code that it comes with where the page's codes do not have it.
pub const FONE_STATUSES: &[(u16, &str, &str)] = &[
    (400, "PARAMETER_REQUIRED", "Missing or invalid data"),
    (401, "UNAUTHORIZED", "Wrong or missing credentials"),
    (403, "FORBIDDEN", "Missing permissions, or an invalid state"),
    (500, "INTERNAL_SERVER_ERROR", "An error on the server"),
];

/// The code of that name, of Fone Dynamics' page.
pub fn of_fone(name: &str) -> &'static FoneCode {
    FONE_CODES.iter().find(|code| code.name == name).unwrap_or_else(|| panic!("Fone Dynamics' page has no code {name}"))
}

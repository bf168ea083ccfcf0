//! The payloads as structs that borrow, for the operation `typed`, and the fields that `keys` reads.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Serde borrows a `Cow`, but not one inside an `Option`: this can be inside one.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Serialize, Deserialize)]
pub struct Log<'a> {
    pub timestamp: &'a str,
    pub level: &'a str,
    pub service: &'a str,
    pub logger: &'a str,
    pub thread: &'a str,
    #[serde(borrow)]
    pub message: Cow<'a, str>,
    #[serde(borrow)]
    pub request: Request<'a>,
    #[serde(borrow)]
    pub user: User<'a>,
    pub metrics: Metrics,
    #[serde(borrow)]
    pub exception: Exception<'a>,
    #[serde(borrow)]
    pub tags: Vec<&'a str>,
    #[serde(borrow)]
    pub context: Context<'a>,
}

#[derive(Serialize, Deserialize)]
pub struct Request<'a> {
    pub id: &'a str,
    pub method: &'a str,
    #[serde(borrow)]
    pub path: Cow<'a, str>,
    pub status: u16,
    pub bytes: u64,
    #[serde(borrow)]
    pub headers: Headers<'a>,
}

#[derive(Serialize, Deserialize)]
pub struct Headers<'a> {
    pub host: &'a str,
    #[serde(borrow)]
    pub user_agent: Cow<'a, str>,
    #[serde(borrow)]
    pub accept: Cow<'a, str>,
    #[serde(borrow)]
    pub referer: Cow<'a, str>,
    pub forwarded_for: Option<&'a str>,
}

#[derive(Serialize, Deserialize)]
pub struct User<'a> {
    pub id: u64,
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    #[serde(borrow)]
    pub email: Cow<'a, str>,
    #[serde(borrow)]
    pub roles: Vec<&'a str>,
    pub plan: Option<&'a str>,
    pub active: bool,
}

#[derive(Serialize, Deserialize)]
pub struct Metrics {
    pub durations_ms: Vec<f64>,
    pub retries: u32,
    pub cache_hit: bool,
    pub ratio: f64,
}

#[derive(Serialize, Deserialize)]
pub struct Exception<'a> {
    pub r#type: &'a str,
    #[serde(borrow)]
    pub message: Cow<'a, str>,
    #[serde(borrow)]
    pub stack: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
pub struct Context<'a> {
    pub trace_id: &'a str,
    pub span_id: &'a str,
    pub sampled: bool,
    pub parent: Option<&'a str>,
    #[serde(borrow)]
    pub notes: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
pub struct Change<'a> {
    #[serde(borrow)]
    pub before: Option<Row<'a>>,
    #[serde(borrow)]
    pub after: Option<Row<'a>>,
    #[serde(borrow)]
    pub source: Source<'a>,
    pub op: &'a str,
    pub ts_ms: u64,
    pub transaction: Option<&'a str>,
}

#[derive(Serialize, Deserialize)]
pub struct Row<'a> {
    pub id: u64,
    pub customer_id: u64,
    pub status: &'a str,
    pub amount: f64,
    pub currency: &'a str,
    pub email: &'a str,
    #[serde(borrow)]
    pub street: Cow<'a, str>,
    #[serde(borrow)]
    pub city: Cow<'a, str>,
    #[serde(borrow)]
    pub note: Option<Text<'a>>,
    pub gift: bool,
    pub created_at: u64,
    pub updated_at: u64,
}

#[derive(Serialize, Deserialize)]
pub struct Source<'a> {
    pub version: &'a str,
    pub connector: &'a str,
    pub name: &'a str,
    pub ts_ms: u64,
    pub snapshot: &'a str,
    pub db: &'a str,
    #[serde(borrow)]
    pub sequence: Cow<'a, str>,
    pub schema: &'a str,
    pub table: &'a str,
    #[serde(rename = "txId")]
    pub tx_id: u64,
    pub lsn: u64,
    pub xmin: Option<&'a str>,
}

#[derive(Serialize, Deserialize)]
pub struct LogKeys<'a> {
    #[serde(borrow)]
    pub service: Cow<'a, str>,
    #[serde(borrow)]
    pub level: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
pub struct ChangeKeys<'a> {
    #[serde(borrow)]
    pub op: Cow<'a, str>,
    #[serde(borrow)]
    pub source: TableOnly<'a>,
}

#[derive(Serialize, Deserialize)]
pub struct TableOnly<'a> {
    #[serde(borrow)]
    pub table: Cow<'a, str>,
}

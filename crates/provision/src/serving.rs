//! Finds the emulator that `provision local serve` runs on the same data.

use std::fs::OpenOptions;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::error::{Error, Result};

/// An engine says at once how it is.
const HEALTH: Duration = Duration::from_secs(2);

/// The content of the file that a serving emulator writes beside its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serving {
    pub url: String,
    pub address: SocketAddr,
    pub account: String,
}

/// The emulator that serves this data now. A killed emulator leaves its file behind, and something else may listen on its port
/// since: also an emulator, but of other data.
pub async fn running(data_dir: &Path) -> Option<Serving> {
    let text = std::fs::read(file(data_dir)).ok()?;
    let serving: Serving = serde_json::from_slice(&text).ok()?;
    let served = health(&serving.url).await.ok()?.data_dir?.canonicalize().ok()?;
    (served == data_dir.canonicalize().ok()?).then_some(serving)
}

/// Writes the file. [`forget`] removes it.
pub fn announce(data_dir: &Path, serving: &Serving) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file(data_dir))?;
    serde_json::to_writer(&mut file, serving).map_err(io::Error::from)
}

pub fn forget(data_dir: &Path) {
    // Nobody listens any more, so a file that cannot be removed is harmless.
    let _ = std::fs::remove_file(file(data_dir));
}

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("serving.json")
}

/// Delivers everything that these delivery streams have buffered.
pub async fn flush(url: &str, region: &str, names: &[String]) -> Result<()> {
    let streams: String = names.iter().map(|name| format!("&stream={name}")).collect();
    control(url, "POST", &format!("/_local/flush?region={region}{streams}")).await.map(drop)
}

/// The number of records that a delivery stream has not delivered yet.
pub async fn backlog(url: &str, region: &str, name: &str) -> Result<usize> {
    #[derive(Deserialize)]
    struct Backlog {
        records: usize,
    }
    let path = format!("/_local/backlog?region={region}&stream={name}");
    let backlog = serde_json::from_str::<Backlog>(&control(url, "GET", &path).await?);
    backlog.map(|backlog| backlog.records).map_err(|e| Error::new(format!("reading the buffers of {name}"), e))
}

/// Is it an engine of ours that answers there? Others have no such address, or answer something else.
pub async fn is_ours(url: &str) -> bool {
    let plain = url.starts_with("http://") && crate::secret::shown_url(url) == url;
    plain && health(url).await.is_ok()
}

/// The emulator's clock, in milliseconds since the epoch.
pub async fn now_ms(url: &str) -> Result<i64> {
    Ok(health(url).await?.now_ms)
}

#[derive(Deserialize)]
struct Health {
    now_ms: i64,
    data_dir: Option<PathBuf>,
}

async fn health(url: &str) -> Result<Health> {
    let doing = || format!("reading the health of {url}");
    let answer = tokio::time::timeout(HEALTH, control(url, "GET", "/_local/health")).await;
    let body = answer.map_err(|e| Error::new(doing(), e))??;
    serde_json::from_str(&body).map_err(|e| Error::new(doing(), e))
}

/// Sends one request to the emulator's control API. Its short responses need no HTTP client.
async fn control(url: &str, method: &str, path: &str) -> Result<String> {
    let doing = || format!("calling the emulator: {method} {url}{path}");
    let failed = |e: io::Error| Error::new(doing(), e);
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = tokio::net::TcpStream::connect(host).await.map_err(failed)?;
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.map_err(failed)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.split(' ').nth(1) {
        Some("200" | "204") => Ok(body.to_owned()),
        _ => Err(Error::new(doing(), format!("it answered {}", head.lines().next().unwrap_or("nothing")))),
    }
}

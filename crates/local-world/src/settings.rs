//! How an engine is set up.

use std::path::PathBuf;

use crate::anomalies::Consistency;
use crate::faults::Rule;
use crate::time::{Delays, Millis};

/// The settings that an emulator is started with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The twelve digits of the one account that exists.
    pub account: String,
    /// How long states that are not instant on AWS last here.
    pub delays: Delays,
    /// World seconds per wall second, at least 1.
    pub speed: u32,
    /// The world's clock stands until it is moved or let go.
    pub paused: bool,
    /// The time that the clock shows at first. `None`: the machine's time. It is never earlier than the last time that the
    /// world has seen.
    pub time: Option<Millis>,
    /// Calls of role sessions are allowed only what their policies allow.
    pub enforce_iam: bool,
    /// Rules by which calls go wrong.
    pub faults: Vec<Rule>,
    /// Which of AWS's anomalies are met. None unless asked for.
    pub consistency: Consistency,
    /// Do a shard, a delivery stream and each control operation let through no more in a second than on AWS? Off
    /// unless asked for: tests put what they have as fast as they can.
    pub limits: bool,
    /// Signatures must be of this key and secret. `None`: they must only be there.
    pub signature: Option<Secret>,
    /// Where everything is kept. `None`: in memory, gone with the engine.
    pub data_dir: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            account: "000000000000".into(),
            delays: Delays::FAST,
            speed: 1,
            consistency: Consistency::default(),
            limits: false,
            signature: None,
            paused: false,
            time: None,
            enforce_iam: false,
            faults: vec![],
            data_dir: None,
        }
    }
}

/// The one key that signs, and its secret. Sessions that were given out here sign with their own.
#[derive(Clone)]
pub struct Secret {
    /// The access key that requests are signed with.
    pub access_key: String,
    /// The secret of that key.
    pub secret_key: String,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({}:...)", self.access_key)
    }
}

impl Secret {
    /// `KEY:SECRET`
    pub fn parse(text: &str) -> Option<Secret> {
        let (access_key, secret_key) =
            text.split_once(':').filter(|(key, secret)| !key.is_empty() && !secret.is_empty())?;
        Some(Secret { access_key: access_key.into(), secret_key: secret_key.into() })
    }
}

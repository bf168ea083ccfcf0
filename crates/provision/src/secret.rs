//! Texts that are never shown: values of secret variables, keys of the process's environment, and the secret parts of URLs. One type
//! masks them. All that is printed, and what the journal remembers, goes through [`masked`].

use std::borrow::Cow;
use std::sync::{PoisonError, RwLock};

const MASK: &str = "***";
/// A shorter value is not masked: it would be found in every second word, and is no secret anyway.
const SHORTEST: usize = 4;
/// Variables of AWS's that hold secrets. Real ones have more characters than `local` and `test`, which people give to emulators.
const OF_AWS: [&str; 4] =
    ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"];
const SHORTEST_OF_AWS: usize = 16;

/// The secrets that [`masked`] replaces.
static KEPT: RwLock<Secrets> = RwLock::new(Secrets(Vec::new()));

/// Whether a variable of this name holds a secret. `KEY` and the like count as whole words: `API_KEY`, but not `MONKEY`.
pub fn is_secret_name(name: &str) -> bool {
    const PARTS: [&str; 6] = ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "CREDENTIAL", "PRIVATE"];
    const WORDS: [&str; 7] = ["KEY", "KEYS", "APIKEY", "PASS", "PASSPHRASE", "PWD", "AUTH"];
    let name = name.to_uppercase();
    PARTS.iter().any(|part| name.contains(part)) || name.split('_').any(|word| WORDS.contains(&word))
}

/// Secret texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secrets(Vec<String>);

impl Secrets {
    pub fn add(&mut self, value: &str) {
        // Output is printed line by line, so that it shows the lines of a key and never the whole text.
        let lines = value.lines().filter(|_| value.contains('\n'));
        for text in [value.trim()].into_iter().chain(lines.map(str::trim)) {
            if text.chars().count() >= SHORTEST && !self.0.iter().any(|known| known == text) {
                self.0.push(text.to_owned());
            }
        }
        // A secret may contain another one: the longest goes first.
        self.0.sort_by_key(|text| std::cmp::Reverse(text.len()));
    }

    /// The user and password, the query and the fragment of a URL.
    pub fn add_url(&mut self, url: &str) {
        let Parts { user, query, fragment, .. } = parts(url);
        let passwords = user.iter().filter_map(|user| user.split_once(':')).map(|(_, password)| password);
        let values = query.iter().flat_map(|query| query.split('&')).filter_map(|pair| pair.split_once('='));
        let parts = user.into_iter().chain(query).chain(fragment);
        parts.chain(passwords).chain(values.map(|(_, value)| value)).for_each(|part| self.add(part));
    }

    /// `text` with each secret replaced.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.replace(text, |_| MASK.to_owned())
    }

    /// The same, with as many bytes, for a line with a caret under it.
    pub fn cover<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.replace(text, |secret| "*".repeat(secret.len()))
    }

    /// Secrets as they are escaped in JSON.
    fn escaped(&self) -> Secrets {
        let written = |text: &String| serde_json::to_string(text).expect("a text serialises");
        Secrets(self.0.iter().map(written).map(|text| text[1..text.len() - 1].to_owned()).collect())
    }

    fn replace<'t>(&self, text: &'t str, with: impl Fn(&str) -> String) -> Cow<'t, str> {
        self.0.iter().fold(Cow::Borrowed(text), |text, secret| match text.contains(secret.as_str()) {
            true => Cow::Owned(text.replace(secret.as_str(), &with(secret))),
            false => text,
        })
    }
}

/// Adds secrets that are masked from now on.
pub fn keep(secrets: &Secrets) {
    let mut kept = KEPT.write().unwrap_or_else(PoisonError::into_inner);
    secrets.0.iter().for_each(|secret| kept.add(secret));
}

pub fn keep_url(url: &str) {
    KEPT.write().unwrap_or_else(PoisonError::into_inner).add_url(url);
}

/// Adds the secrets in the arguments and environment of this process: AWS keys and the secret parts of URLs.
pub fn keep_what_was_given() {
    let text = |value: std::ffi::OsString| value.into_string().unwrap_or_default();
    std::env::args_os().map(text).filter(|argument| argument.contains("://")).for_each(|url| keep_url(&url));
    let names_url = |name: &str| name.to_uppercase().ends_with("_PROXY") || name.starts_with("AWS_ENDPOINT_URL");
    for (name, value) in std::env::vars_os().map(|(name, value)| (text(name), text(value))) {
        if OF_AWS.contains(&name.as_str()) && value.len() >= SHORTEST_OF_AWS {
            KEPT.write().unwrap_or_else(PoisonError::into_inner).add(&value);
        } else if names_url(&name) {
            keep_url(&value);
        }
    }
}

/// `text` without any secret that was kept.
pub fn masked(text: &str) -> String {
    KEPT.read().unwrap_or_else(PoisonError::into_inner).mask(text).into_owned()
}

/// The same for JSON, in which a secret may be escaped.
pub fn masked_json(json: &str) -> String {
    KEPT.read().unwrap_or_else(PoisonError::into_inner).escaped().mask(json).into_owned()
}

/// A URL as it may be shown: host and path remain.
pub fn shown_url(url: &str) -> String {
    let Parts { scheme, user, place, query, fragment } = parts(url);
    let mask = |there: Option<&str>, before: &str, after: &str| {
        there.map(|_| format!("{before}{MASK}{after}")).unwrap_or_default()
    };
    format!("{scheme}{}{place}{}{}", mask(user, "", "@"), mask(query, "?", ""), mask(fragment, "#", ""))
}

struct Parts<'u> {
    /// Up to and including `://`.
    scheme: &'u str,
    user: Option<&'u str>,
    /// Host, port and path.
    place: &'u str,
    query: Option<&'u str>,
    fragment: Option<&'u str>,
}

/// By hand, because what is no URL must be masked too: it stands in the error that says so.
fn parts(url: &str) -> Parts<'_> {
    let (scheme, rest) = url.split_at(url.find("://").map_or(0, |at| at + 3));
    let (rest, fragment) = rest.split_once('#').map_or((rest, None), |(rest, fragment)| (rest, Some(fragment)));
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let authority = &rest[..rest.find('/').unwrap_or(rest.len())];
    // A password with a slash in it is a mistake, and a secret still.
    let at = authority.rfind('@').or_else(|| rest.rfind('@'));
    let (user, place) = at.map_or((None, rest), |at| (Some(&rest[..at]), &rest[at + 1..]));
    Parts { scheme, user, place, query, fragment }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_variables_are_told_by_words_of_their_names() {
        for name in [
            "DB_PASSWORD",
            "GITHUB_TOKEN",
            "API_KEY",
            "api_key",
            "AWS_ACCESS_KEY_ID",
            "CLIENT_SECRET",
            "MyPrivateThing",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["MONKEY", "KEYBOARD", "env", "REGION", "COMPASS", "AUTHOR", "BYPASS"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn of_a_url_host_and_path_are_shown() {
        for (url, shown, secrets) in [
            ("http://127.0.0.1:4566", "http://127.0.0.1:4566", &[][..]),
            ("https://ana:s3cr3t@aws.example/a", "https://***@aws.example/a", &["ana:s3cr3t", "s3cr3t"]),
            ("https://token@aws.example", "https://***@aws.example", &["token"]),
            ("https://aws.example/?token=abcd&v=1", "https://aws.example/?***", &["token=abcd&v=1", "abcd"]),
            ("https://aws.example/x#access", "https://aws.example/x#***", &["access"]),
            ("ana:s3cr3t@proxy:3128", "***@proxy:3128", &["ana:s3cr3t", "s3cr3t"]),
            ("http://ana:a/b@proxy", "http://***@proxy", &["ana:a/b"]),
            ("--endpoint=http://u:pass@h", "--endpoint=http://***@h", &["u:pass", "pass"]),
        ] {
            assert_eq!(shown_url(url), shown);
            let mut kept = Secrets::default();
            kept.add_url(url);
            for secret in secrets {
                assert!(!kept.mask(&format!("<{secret}>")).contains(secret), "{url}: {secret}");
            }
        }
    }

    #[test]
    fn longer_secrets_go_first_and_short_ones_stay() {
        let mut secrets = Secrets::default();
        ["pass", "password", "abc", "-----BEGIN\nline one\nline two"].into_iter().for_each(|text| secrets.add(text));
        assert_eq!(secrets.mask("password pass abc line two"), "*** *** abc ***");
        assert_eq!(secrets.cover("a: password"), "a: ********");
    }
}

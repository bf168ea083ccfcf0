//! Decides which requests may call `/_local/`. Programs may: they send neither `Origin` nor `Sec-Fetch-Site`. The engine's own page may
//! too, and needs the token that was embedded in it to change something. A page of another site cannot read that token, and a name that it
//! makes lead to this machine (DNS rebinding) is refused before, because `Host` is no loopback name ([`crate::host`]).

use crate::request::Request;

/// The header that the page sends the token in. A page of another origin cannot set it without asking first, which is refused.
pub const TOKEN: &str = "x-local-token";

/// Why a request is refused; `Ok` for a program and for the engine's own page.
pub fn check(request: &Request, token: &str) -> Result<(), &'static str> {
    let sent = |name: &str| request.headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let (origin, site) = (sent("origin"), sent("sec-fetch-site"));
    if origin.is_none() && site.is_none() {
        return Ok(());
    }
    let reads = matches!(request.method.as_str(), "GET" | "HEAD");
    let host = sent("host").unwrap_or_default();
    if origin.is_some_and(|origin| origin.strip_prefix("http://") != Some(host) || host.is_empty()) {
        return Err("web pages of another origin may neither read nor steer the emulator");
    }
    match site {
        None | Some("same-origin") => {}
        // An address that a person typed or opened.
        Some("none") if reads => {}
        Some(_) if reads && shows_the_page(request) => {}
        Some(_) => return Err("web pages of another origin may neither read nor steer the emulator"),
    }
    match reads || sent(TOKEN) == Some(token) {
        true => Ok(()),
        false => Err("a change from a web page needs the token of this emulator; load the page again"),
    }
}

/// Is the page itself asked for, in a window of its own? A link may lead to it; nobody reads it through a link.
fn shows_the_page(request: &Request) -> bool {
    matches!(request.path.as_str(), "/_local" | "/_local/")
        && request.header("sec-fetch-mode") == Some("navigate")
        && request.header("sec-fetch-dest") == Some("document")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = http::Request::builder().method(method).uri(path).header("host", "127.0.0.1:4566");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("valid parts").into_parts();
        crate::wire::request(parts, bytes::Bytes::new())
    }

    #[test]
    fn programs_and_the_own_page_may_and_other_pages_may_not() {
        const OWN: (&str, &str) = ("origin", "http://127.0.0.1:4566");
        const SAME: (&str, &str) = ("sec-fetch-site", "same-origin");
        const RIGHT: (&str, &str) = (TOKEN, "secret");
        let navigates =
            [("sec-fetch-site", "same-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        let embeds = [("sec-fetch-site", "same-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
        type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], bool);
        let table: &[Row] = &[
            // Programs.
            ("POST", "/_local/pause", &[], true),
            ("DELETE", "/_local/faults", &[], true),
            ("GET", "/_local/clock", &[], true),
            // The page.
            ("GET", "/_local/watch", &[SAME], true),
            ("GET", "/_local/", &[("sec-fetch-site", "none")], true),
            ("POST", "/_local/pause", &[OWN, SAME, RIGHT], true),
            ("POST", "/_local/pause", &[OWN, RIGHT], true),
            ("POST", "/_local/pause", &[OWN, SAME], false),
            ("POST", "/_local/pause", &[OWN, SAME, (TOKEN, "guessed")], false),
            ("POST", "/_local/pause", &[OWN, SAME, (TOKEN, "")], false),
            ("DELETE", "/_local/faults", &[SAME], false),
            ("POST", "/_local/pause", &[("sec-fetch-site", "none"), RIGHT], false),
            // Pages of others, of which some are on this machine too.
            ("GET", "/_local/watch", &[("origin", "http://localhost:3000")], false),
            ("GET", "/_local/watch", &[("origin", "http://127.0.0.1:3000")], false),
            ("GET", "/_local/watch", &[("origin", "https://127.0.0.1:4566")], false),
            ("GET", "/_local/watch", &[("origin", "null")], false),
            ("GET", "/_local/watch", &[("origin", "")], false),
            ("GET", "/_local/watch", &[("sec-fetch-site", "same-site")], false),
            ("GET", "/_local/", &[("sec-fetch-site", "same-site")], false),
            ("GET", "/_local/", &navigates, true),
            ("GET", "/_local/watch", &navigates, false),
            ("GET", "/_local/", &embeds, false),
            ("POST", "/_local/pause", &[("origin", "http://localhost:3000"), RIGHT], false),
            ("POST", "/_local/pause", &[OWN, ("sec-fetch-site", "cross-site"), RIGHT], false),
        ];
        for (method, path, headers, allowed) in table {
            let checked = check(&request(method, path, headers), "secret");
            assert_eq!(checked.is_ok(), *allowed, "{method} {path} {headers:?}");
        }
    }

    #[test]
    fn a_page_under_a_name_that_leads_here_is_refused() {
        let (mut parts, ()) = http::Request::get("/_local/clock").body(()).expect("valid parts").into_parts();
        parts.headers.insert("origin", "http://evil.example".parse().expect("a value"));
        let without_host = crate::wire::request(parts.clone(), bytes::Bytes::new());
        assert!(check(&without_host, "secret").is_err());
        parts.headers.insert("host", "evil.example".parse().expect("a value"));
        assert!(!crate::host::is_loopback(&http::Request::from_parts(parts, ())), "the port refuses it");
    }
}

//! Host names by which the port may be called. A page in a browser can make a name of its own lead to this machine, but not
//! pretend to be called by a loopback name.

/// Is the request addressed to this machine by a loopback name?
pub fn is_loopback<B>(request: &http::Request<B>) -> bool {
    let header = request.headers().get(http::header::HOST).and_then(|value| value.to_str().ok());
    let called = header.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    called.is_some_and(is_loopback_name)
}

/// Does the request come from a web page that is not this machine's own? Whatever the page asks for, it does not get it.
pub fn is_from_elsewhere(headers: &http::HeaderMap) -> bool {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let origin = header("origin").is_some_and(|origin| {
        let name = origin.split_once("://").map_or("", |(_, name)| name);
        !is_loopback_name(name)
    });
    origin || header("sec-fetch-site") == Some("cross-site")
}

fn is_loopback_name(called: &str) -> bool {
    let name = without_port(called).to_ascii_lowercase();
    matches!(name.as_str(), "127.0.0.1" | "localhost" | "[::1]") || name.ends_with(".localhost")
}

/// The bucket of a virtual-hosted-style address (`bucket.localhost:4566`, `bucket.s3.eu-west-1.amazonaws.com`).
pub fn bucket(host: &str) -> Option<&str> {
    let name = without_port(host);
    let of_s3 = name.split_once(".s3.").map(|(bucket, _)| bucket);
    of_s3.or_else(|| name.strip_suffix(".localhost").filter(|name| *name != "s3"))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_answered_to() {
        for (host, expected) in [
            ("127.0.0.1:4566", true),
            ("localhost", true),
            ("LOCALHOST:1", true),
            ("[::1]:80", true),
            ("bucket.localhost:80", true),
            ("127.0.0.1.evil.example", false),
            ("localhost.evil.example:80", false),
            ("evil.example", false),
            ("", false),
        ] {
            let request = http::Request::builder().header("host", host).body(()).expect("a valid header");
            assert_eq!(is_loopback(&request), expected, "{host}");
        }
        assert!(!is_loopback(&http::Request::new(())), "no name at all");
    }

    #[test]
    fn web_pages_of_others_are_known_by_their_origin() {
        for (name, value, expected) in [
            ("origin", "https://evil.example", true),
            ("origin", "https://localhost.evil.example", true),
            ("origin", "null", true),
            ("origin", "http://localhost:3000", false),
            ("sec-fetch-site", "cross-site", true),
            ("sec-fetch-site", "same-origin", false),
            ("accept", "*/*", false),
        ] {
            let request = http::Request::builder().header(name, value).body(()).expect("a valid header");
            assert_eq!(is_from_elsewhere(request.headers()), expected, "{name}: {value}");
        }
    }

    #[test]
    fn a_bucket_may_stand_in_the_host_name() {
        for (host, expected) in [
            ("lake.localhost:4566", Some("lake")),
            ("my.lake.localhost", Some("my.lake")),
            ("lake.s3.localhost:80", Some("lake")),
            ("lake.s3.eu-west-1.amazonaws.com", Some("lake")),
            ("s3.eu-west-1.amazonaws.com", None),
            ("s3.localhost", None),
            ("localhost:4566", None),
            ("127.0.0.1:4566", None),
        ] {
            assert_eq!(bucket(host), expected, "{host}");
        }
    }
}

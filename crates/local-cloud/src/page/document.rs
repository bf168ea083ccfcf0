//! The page as one document. Its style and script are inside, and the policy that it is sent with allows these two and nothing else.

use std::sync::LazyLock;

use base64_simd::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderValue, Response};
use sha2::{Digest, Sha256};

const HTML: &str = include_str!("assets/page.html");
/// The style of the drawing of a pipeline: colours, cards and arrows.
pub const DRAWING_STYLE: &str = include_str!("assets/drawing.css");
const STYLE: &str = concat!(include_str!("assets/drawing.css"), include_str!("assets/style.css"));
/// One module: later files use what earlier ones define.
const SCRIPT: &str = concat!(
    include_str!("assets/dom.js"),
    include_str!("assets/numbers.js"),
    include_str!("assets/api.js"),
    include_str!("assets/details.js"),
    include_str!("assets/pipeline.js"),
    include_str!("assets/lists.js"),
    include_str!("assets/controls.js"),
    include_str!("assets/main.js"),
);

static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = |text: &str| format!("'sha256-{}'", BASE64.encode_to_string(Sha256::digest(text)));
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    );
    HeaderValue::from_str(&policy).expect("words and base64 are a valid header value")
});

/// The page, with the token that it needs to change something.
pub fn response(token: &str) -> Response<Bytes> {
    let html = HTML.replace("{{style}}", STYLE).replace("{{script}}", SCRIPT).replace("{{token}}", token);
    let mut response = Response::new(Bytes::from(html));
    let headers = response.headers_mut();
    headers.insert("content-security-policy", POLICY.clone());
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Where the page is.
pub fn elsewhere(path: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = http::StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert("location", HeaderValue::from_static(path));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_whole_and_names_no_outside_address() {
        let page = response("0123abcd");
        let html = std::str::from_utf8(page.body()).expect("UTF-8");
        assert!(html.contains(r#"<meta name="token" content="0123abcd">"#) && !html.contains("{{"));
        let outside = |line: &&str| {
            ["http://", "https://", "src=", "href=\"//", "@import", "url("].iter().any(|word| line.contains(word))
        };
        let own = |line: &&str| line.contains("http://www.w3.org/2000/svg");
        assert_eq!(html.lines().filter(outside).filter(|line| !own(line)).collect::<Vec<_>>(), Vec::<&str>::new());
        assert_eq!(html.matches("</script>").count(), 1, "the script does not end itself");
    }

    #[test]
    fn the_policy_allows_the_own_script_and_style_and_no_frame() {
        let page = response("t");
        let policy = page.headers()["content-security-policy"].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
        assert!(policy.ends_with("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    }
}

//! How long a signature holds: around the time it carries; in an address that was given away, as long as that says.

use aws_facts::signature::{MAX_SKEW_MINUTES, MAX_SKEW_MINUTES_OF_S3};
use http::request::Parts;
use jiff::{SignedDuration, Timestamp};

use super::canonical::parameter;
use super::{Claim, Denied};

const FORMAT: &str = "%Y%m%dT%H%M%SZ";
const LONGEST_S: i64 = 7 * 86_400;

pub(super) fn check(head: &Parts, claim: &Claim, now: [Timestamp; 2]) -> Result<(), Denied> {
    let text = claim.time.as_deref().ok_or(Denied::Undated)?;
    let signed = jiff::civil::DateTime::strptime(FORMAT, text).ok();
    let signed = signed.and_then(|time| Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp()));
    let signed = signed.ok_or(Denied::Undated)?;
    let minutes = if claim.credential[3] == "s3" { MAX_SKEW_MINUTES_OF_S3 } else { MAX_SKEW_MINUTES };
    let skew = SignedDuration::from_mins(minutes);
    let (kept, given_away) = match parameter(head, "X-Amz-Expires").filter(|_| claim.presigned) {
        Some(seconds) => (SignedDuration::from_secs(lifetime(&seconds)?), true),
        None => (skew, false),
    };
    let early = |now: Timestamp| signed > now + skew;
    let late = |now: Timestamp| signed + kept < now;
    if now.into_iter().any(|now| !early(now) && !late(now)) {
        return Ok(());
    }
    let [now, _] = now;
    let write = |time: Timestamp| time.strftime(FORMAT).to_string();
    let words = match early(now) {
        true => format!(
            "Signature not yet current: {text} is still later than {} ({} + {minutes} min.)",
            write(now + skew),
            write(now)
        ),
        false => format!(
            "Signature expired: {text} is now earlier than {} ({} - {minutes} min.)",
            write(now - skew),
            write(now)
        ),
    };
    Err(if given_away && late(now) { Denied::Expired(words) } else { Denied::Skewed(words) })
}

fn lifetime(seconds: &str) -> Result<i64, Denied> {
    seconds.parse().ok().filter(|seconds| (0..=LONGEST_S).contains(seconds)).ok_or(Denied::Lifetime)
}

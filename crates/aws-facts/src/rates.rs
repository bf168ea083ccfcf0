//! How often an account may call the control plane in a second.
//!
//! IAM publishes no rates, and those of STS, S3 and the data planes are of another kind.

mod table;

pub use table::RATES;

/// Which calls share a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// All calls of the operation by the account in a region.
    Account,
    /// All calls of the operation for one stream.
    Stream,
    /// All calls of the row's operations by the account in a region.
    AllOfThese,
}

/// The rate of some operations.
#[derive(Debug)]
pub struct Rate {
    /// As in the service's endpoint: `kinesis`, `logs`.
    pub service: &'static str,
    /// The operations that have the rate.
    pub operations: &'static [&'static str],
    /// The calls that share the rate.
    pub per: Per,
    /// Calls in a second.
    pub per_second: u32,
    /// The address of the document that says so, or `[?]` and the reason for the assumption.
    pub source: &'static str,
}

/// The row of an operation, and what its bucket is called in it: its name, or nothing where the row's operations share one.
///
/// The service is named as in its endpoint: `kinesis`, `logs`.
pub fn find(service: &str, operation: &str) -> Option<(usize, &'static str)> {
    RATES.iter().enumerate().filter(|(_, rate)| rate.service == service).find_map(|(row, rate)| {
        let name = rate.operations.iter().find(|name| **name == operation)?;
        Some((row, if rate.per == Per::AllOfThese { "" } else { name }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rate_has_a_source_and_no_operation_two_rates() {
        let mut seen = std::collections::HashSet::new();
        for rate in RATES {
            assert!(rate.source.contains("https://docs.aws.amazon.com/") || rate.source.starts_with("[?]"), "{rate:?}");
            assert!(rate.operations.iter().all(|name| seen.insert((rate.service, *name))), "{rate:?}");
        }
    }

    #[test]
    fn operations_that_are_counted_together_have_one_bucket() {
        assert_eq!(find("lambda", "ListAliases"), find("lambda", "ListTags"));
        assert_ne!(find("kinesis", "CreateStream"), find("kinesis", "DeleteStream"));
        assert_eq!(find("s3", "PutObject"), None);
    }
}

//! Prefixes as this engine evaluates them: refusals in AWS's words, and random strings that follow from a seed.

pub use aws_facts::firehose::prefix::{
    Facts, Mistake, Misused, PartitionKey, PartitionKeys, Prefix, RANDOM_STRING_LENGTH, Role,
};

/// Why a text is no prefix, told of the member that it is.
pub fn told(mistake: &Mistake, member: &str) -> String {
    match mistake {
        Mistake::Open | Mistake::Form(_) => "Invalid expression usage".into(),
        Mistake::Namespace { namespace, .. } => {
            format!("Namespace to the left of colon ({namespace}) is an invalid keyword!")
        }
        Mistake::Value(_) | Mistake::Pattern(_) => {
            format!("Invalid conversion character used in the value of the expression in {member}")
        }
    }
}

/// The error for a prefix that is refused.
pub fn told_of_use(misused: Misused) -> &'static str {
    match misused {
        Misused::ErrorTypeInPrefix => "Prefix must not contain any occurrence of !{firehose:error-output-type}",
        Misused::NoErrorType => {
            "ErrorOutputPrefix must contain at least one occurrence of !{firehose:error-output-type}"
        }
        Misused::KeyInErrorPrefix => "Dynamic Partitioning Namespaces can't be part of an error prefix expression",
    }
}

/// The random string at each place of an object's prefix.
pub fn random_string(seed: &str) -> impl Fn(usize) -> String {
    move |place| super::ident::hex(&[seed, &place.to_string()])[..RANDOM_STRING_LENGTH].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_strings_are_fresh_at_each_occurrence() {
        let random = random_string("seed");
        assert_eq!((random(0).len(), random(0)), (RANDOM_STRING_LENGTH, random(0)));
        assert_ne!(random(0), random(1));
    }
}

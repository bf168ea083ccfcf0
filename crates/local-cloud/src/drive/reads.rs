//! Which operations change nothing: they have their turns while nothing can be written.

const VERBS: [&str; 7] = ["Get", "List", "Describe", "Head", "Filter", "Simulate", "SubscribeToShard"];

/// As policies name it, or one of the engine's own.
pub fn only_reads(operation: &str) -> bool {
    let name = operation.split_once(':').map_or("", |(_, name)| name);
    operation == "subscription" || VERBS.iter().any(|verb| name.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_is_told_from_changing_by_the_verb() {
        let reads =
            ["kinesis:GetRecords", "s3:HeadObject", "subscription", "kinesis:SubscribeToShard", "iam:ListRoles"];
        assert!(reads.into_iter().all(only_reads));
        let others = ["kinesis:PutRecords", "delivery", "", "lambda:InvokeFunction", "sts:AssumeRole", "Get"];
        assert!(!others.into_iter().any(only_reads));
    }
}

//! Roles and who one is.

use provision::cloud;

use super::target::{Clock, document, on_aws};

#[test]
fn roles_have_policies_and_go_after_them() {
    on_aws(
        Clock::Paused,
        async |aws| {
            let (iam, run) = (aws.cx.iam(), &aws.run);
            let arn = aws.role().await;
            assert_eq!(arn, format!("arn:aws:iam::{}:role/{run}", aws.cx.names.account));

            let again = iam.create_role().role_name(run).assume_role_policy_document(document(
                r#""Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}"#,
            ));
            let again = again.send().await.unwrap_err().into_service_error();
            assert!(again.is_entity_already_exists_exception(), "{again:?}");
            let bad = iam.create_role().role_name(aws.absent()).assume_role_policy_document("{").send().await;
            let bad = bad.unwrap_err().into_service_error();
            assert!(bad.is_malformed_policy_document_exception(), "{bad:?}");

            let read = iam.get_role_policy().role_name(run).policy_name("all").send().await.expect("it has the policy");
            assert!(
                read.policy_document.contains("kinesis%3A%2A") || read.policy_document.contains("kinesis%3A*"),
                "{read:?}"
            );
            let simulated = iam.simulate_principal_policy().policy_source_arn(&arn);
            let simulated = simulated.action_names("s3:GetObject").action_names("iam:CreateUser").send().await;
            let decisions: Vec<String> = simulated
                .expect("policies are simulated")
                .evaluation_results()
                .iter()
                .map(|one| one.eval_decision.to_string())
                .collect();
            assert_eq!(decisions, ["allowed", "implicitDeny"]);

            let conflict = iam.delete_role().role_name(run).send().await.unwrap_err().into_service_error();
            assert!(conflict.is_delete_conflict_exception(), "{conflict:?}");
            let absent = iam.get_role().role_name(aws.absent()).send().await.unwrap_err().into_service_error();
            assert!(absent.is_no_such_entity_exception(), "{absent:?}");
            let gone = iam.delete_role_policy().role_name(run).policy_name("absent").send().await;
            assert!(gone.unwrap_err().into_service_error().is_no_such_entity_exception());
        },
        async |aws| aws.remove_role().await,
    );
}

#[test]
fn callers_are_told_who_they_are() {
    on_aws(
        Clock::Paused,
        async |aws| {
            let caller = cloud::account(&aws.cx.sdk, &aws.cx.calls).await.expect("anybody may ask");
            assert_eq!(caller.account, aws.cx.names.account);
            assert!(caller.arn.starts_with("arn:aws"), "{caller:?}");
        },
        async |_| {},
    );
}

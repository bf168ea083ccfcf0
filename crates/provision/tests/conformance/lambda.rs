//! Functions.

use std::io::{Cursor, Write};

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, LastUpdateStatus, Runtime, State};

use super::target::{Aws, Clock, on_aws, settled, until};

const HANDLER: &str = r#"
import os

def handler(event, context):
    return {"n": 1 / event["n"], "who": os.environ["WHO"]}
"#;

fn archive() -> Blob {
    let mut zip = zip::ZipWriter::new(Cursor::new(vec![]));
    zip.start_file("code.py", zip::write::SimpleFileOptions::default()).expect("a file begins");
    zip.write_all(HANDLER.as_bytes()).expect("it is in memory");
    Blob::new(zip.finish().expect("it is in memory").into_inner())
}

async fn function(aws: &Aws) {
    let (lambda, role) = (aws.cx.lambda(), aws.role().await);
    let environment = aws_sdk_lambda::types::Environment::builder().variables("WHO", "first").build();
    let create = lambda.create_function().function_name(&aws.run).runtime(Runtime::from("python3.13")).role(role);
    let create = create
        .handler("code.handler")
        .environment(environment)
        .code(FunctionCode::builder().zip_file(archive()).build());
    let created = until("Lambda may assume the role", async || settled(create.clone().send().await)).await;
    assert_eq!(created.state, Some(State::Pending));
    until("the function is active", async || {
        let now = lambda.get_function_configuration().function_name(&aws.run).send().await.expect("it is there");
        (now.state == Some(State::Active)).then_some(())
    })
    .await;
}

async fn remove(aws: &Aws) {
    let _ = aws.cx.lambda().delete_function().function_name(&aws.run).send().await;
    let _ = aws.cx.logs().delete_log_group().log_group_name(format!("/aws/lambda/{}", aws.run)).send().await;
    aws.remove_role().await;
}

#[test]
fn functions_change_have_versions_and_aliases() {
    on_aws(
        Clock::Paused,
        async |aws| {
            function(aws).await;
            let (lambda, name) = (aws.cx.lambda(), aws.run.as_str());
            let again = lambda
                .create_function()
                .function_name(name)
                .runtime(Runtime::from("python3.13"))
                .handler("code.handler");
            let again = again
                .role(format!("arn:aws:iam::{}:role/{name}", aws.cx.names.account))
                .code(FunctionCode::builder().zip_file(archive()).build());
            assert!(again.send().await.unwrap_err().into_service_error().is_resource_conflict_exception());

            let update = lambda.update_function_configuration().function_name(name);
            let stale = update.clone().timeout(9).revision_id("00000000-0000-4000-8000-000000000000").send().await;
            assert!(stale.unwrap_err().into_service_error().is_precondition_failed_exception());
            update.timeout(9).send().await.expect("it changes");
            let changed = until("it has changed", async || {
                let now = lambda.get_function_configuration().function_name(name).send().await.expect("it is there");
                (now.last_update_status == Some(LastUpdateStatus::Successful) && now.timeout != Some(3)).then_some(now)
            })
            .await;
            assert_eq!(changed.timeout, Some(9));

            let one = lambda.publish_version().function_name(name).send().await.expect("a version is published");
            let same = lambda.publish_version().function_name(name).send().await.expect("nothing has changed since");
            assert_eq!((one.version.as_deref(), same.version.as_deref()), (Some("1"), Some("1")));
            lambda
                .create_alias()
                .function_name(name)
                .name("live")
                .function_version("1")
                .send()
                .await
                .expect("an alias");
            let of_alias = lambda.get_function_configuration().function_name(name).qualifier("live").send().await;
            assert_eq!(of_alias.expect("it leads to the version").version.as_deref(), Some("1"));
            let absent =
                lambda.get_function().function_name(aws.absent()).send().await.unwrap_err().into_service_error();
            assert!(absent.is_resource_not_found_exception(), "{absent:?}");
            let bad = lambda.update_function_configuration().function_name(name).memory_size(1).send().await;
            assert_eq!(bad.unwrap_err().into_service_error().meta().code(), Some("ValidationException"));
        },
        remove,
    );
}

#[test]
fn functions_answer_and_fail() {
    on_aws(
        Clock::Real,
        async |aws| {
            function(aws).await;
            let (lambda, name) = (aws.cx.lambda(), aws.run.as_str());
            let invoke = async |payload: &str| {
                let invoked = lambda
                    .invoke()
                    .function_name(name)
                    .payload(Blob::new(payload))
                    .send()
                    .await
                    .expect("it is invoked");
                let answer =
                    String::from_utf8(invoked.payload.map(Blob::into_inner).unwrap_or_default()).expect("it is text");
                (invoked.function_error, answer)
            };
            assert_eq!(invoke(r#"{"n": 2}"#).await, (None, r#"{"n": 0.5, "who": "first"}"#.to_owned()));
            let (error, answer) = invoke(r#"{"n": 0}"#).await;
            assert_eq!(error.as_deref(), Some("Unhandled"));
            assert!(answer.contains("ZeroDivisionError"), "{answer}");
            let bad = lambda
                .invoke()
                .function_name(name)
                .payload(Blob::new("{"))
                .send()
                .await
                .unwrap_err()
                .into_service_error();
            assert!(bad.is_invalid_request_content_exception(), "{bad:?}");
        },
        remove,
    );
}

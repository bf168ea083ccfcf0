//! Log groups, their streams and events.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_cloudwatchlogs::types::InputLogEvent;

use super::target::{Clock, on_aws, until};

#[test]
fn events_are_read_back_and_found() {
    on_aws(
        Clock::Paused,
        async |aws| {
            let (logs, group) = (aws.cx.logs(), aws.run.as_str());
            logs.create_log_group().log_group_name(group).tags("run", group).send().await.expect("a group is made");
            let again = logs.create_log_group().log_group_name(group).send().await.unwrap_err().into_service_error();
            assert!(again.is_resource_already_exists_exception(), "{again:?}");
            logs.put_retention_policy()
                .log_group_name(group)
                .retention_in_days(1)
                .send()
                .await
                .expect("a day is allowed");
            let bad = logs.put_retention_policy().log_group_name(group).retention_in_days(2).send().await;
            assert!(bad.unwrap_err().into_service_error().is_invalid_parameter_exception());
            until("the retention shows", async || {
                let groups = logs.describe_log_groups().log_group_name_prefix(group).send().await;
                let groups = groups.expect("groups are listed").log_groups.unwrap_or_default();
                groups.first().filter(|group| group.retention_in_days == Some(1)).map(drop)
            })
            .await;

            logs.create_log_stream()
                .log_group_name(group)
                .log_stream_name("one")
                .send()
                .await
                .expect("a stream is made");
            let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later").as_millis() as i64;
            let event = |n: i64, message: &str| {
                InputLogEvent::builder().timestamp(now + n).message(message).build().expect("nothing is missing")
            };
            let put = logs.put_log_events().log_group_name(group).log_stream_name("one");
            let put = put
                .log_events(event(0, "ERROR first"))
                .log_events(event(1, "second"))
                .log_events(event(2, "ERROR third"));
            put.send().await.expect("events are taken");
            let mut token = None;
            let mut messages = vec![];
            until("the events are there", async || {
                let get = logs.get_log_events().log_group_name(group).log_stream_name("one").start_from_head(true);
                let read = get.set_next_token(token.clone()).send().await.expect("the stream is there");
                token = read.next_forward_token;
                messages.extend(read.events.unwrap_or_default().into_iter().filter_map(|event| event.message));
                (messages.len() >= 3).then_some(())
            })
            .await;
            assert_eq!(messages, ["ERROR first", "second", "ERROR third"]);
            let found = until("the events are found", async || {
                let find = logs.filter_log_events().log_group_name(group).filter_pattern("ERROR -third");
                let mut pages = find.into_paginator().send();
                let mut found = vec![];
                while let Some(page) = pages.next().await {
                    found.extend(page.expect("it is a pattern").events.unwrap_or_default());
                }
                (!found.is_empty()).then_some(found)
            });
            let found = found.await;
            assert_eq!(found.iter().filter_map(|event| event.message()).collect::<Vec<_>>(), ["ERROR first"]);

            let absent = logs.get_log_events().log_group_name(group).log_stream_name("absent").send().await;
            assert!(absent.unwrap_err().into_service_error().is_resource_not_found_exception());
        },
        async |aws| {
            let _ = aws.cx.logs().delete_log_group().log_group_name(&aws.run).send().await;
        },
    );
}

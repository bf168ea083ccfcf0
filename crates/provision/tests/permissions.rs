//! The policy that `provision permissions` prints: how it looks, that it is enough for everything that is done to the example
//! stacks, and that nothing of it can be left out.

pub mod company;
mod data;
mod doctor;
mod life;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::common::{Bench, NAME_END, stack, stacks};
use company::{ACCOUNT, allowed, bench, boundary, company, names};
use life::Played;
use provision::cloud::{Cx, Purge};
use provision::command::verify::{self, Given, VerifyArgs};
use provision::exit::Exit;
use provision::names::Names;
use provision::permissions::format::{policy, statements, table, terraform};
use provision::permissions::trust::Trusted;
use provision::permissions::{Need, Purpose, Use, any_stack, needs, of_stack};
use provision::session::{Place, Session};
use provision::spec::stack::Stack;

/// A spec, and the same after a change of everything that has an action of its own.
struct Spec {
    text: String,
    changes: &'static [(&'static str, &'static str)],
}

const CHANGES: &[(&str, &str)] = &[
    ("tags: { team: data }", "tags: { owner: ana }"),
    (", boundary: \"arn:aws:iam::111122223333:policy/developer-boundary\"", ""),
    ("shards: 2", "shards: 4"),
    ("retention: 48h", "retention: 72h"),
    ("max_record_size: 2MiB", "max_record_size: 4MiB"),
    ("encryption: alias/aws/kinesis", "encryption: none"),
    ("metrics: [IncomingBytes]", "metrics: [OutgoingBytes]"),
    ("mode: on-demand", "shards: 4"),
    ("expire: 7d", "expire: 30d"),
    ("    encryption: \"arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-0000-0000-0000-000000000000\"\n", ""),
    ("versioning: true", "versioning: false"),
    ("tls_only: true", "tls_only: false"),
    ("    access_logs: { bucket: logs, prefix: lake/ }\n", ""),
    ("alias: live", "alias: next"),
    ("memory: 256MiB", "memory: 512MiB"),
    ("{ dir: python-transform }", "{ dir: ../crates/handler }"),
    ("log: { retention: 14d }", "log: {}"),
    ("size: 8MiB", "size: 16MiB"),
    (
        "  gone:\n    name: permitted-gone\n    bucket: lake\n    good: permitted/gone/\n    bad: permitted/gone-failed/\n",
        "",
    ),
];

fn own() -> Spec {
    Spec { text: include_str!("permissions/stack.yaml").to_owned(), changes: CHANGES }
}

/// Parts of it, which are played faster: the head and some of the sections.
fn parts() -> Vec<Spec> {
    let text = own().text;
    let (head, sections) = text.split_once("\n\n").expect("sections stand apart");
    let part = |names: &[&str]| {
        let chosen = sections.split("\n\n").filter(|section| names.iter().any(|name| section.starts_with(name)));
        let text = [head].into_iter().chain(chosen).collect::<Vec<_>>().join("\n\n");
        Spec { text: text + "\n", changes: CHANGES }
    };
    vec![part(&["streams"]), part(&["functions"]), part(&["streams", "buckets", "deliveries"])]
}

/// An example, with the Python transform: nothing has to be built for it.
fn example(name: &str) -> Spec {
    let mut text = std::fs::read_to_string(stacks().join(name)).expect(name);
    let python = "{ dir: python-transform }, runtime: python3.13, handler: transform.lambda_handler";
    for (code, runtime) in [
        (
            "{ crate: ../crates/handler, bin: bootstrap }\n    runtime: provided.al2023\n    handler: bootstrap",
            "\n    ",
        ),
        ("{ zip: build/zipped.zip }", "\n    "),
        ("{ crate: ../crates/handler }", ", "),
        ("{ crate: ../crates/page-views }", "\n    "),
    ] {
        text = text.replace(code, &python.replace(", ", runtime).replace("dir:python", "dir: python"));
    }
    Spec { text: text.replace("    protect: true\n", ""), changes: &[] }
}

impl Spec {
    fn before(&self, version: &str) -> Stack {
        stack(&self.text.replace("version: \"3\"", &format!("version: {version:?}")))
    }

    fn after(&self, version: &str) -> Stack {
        let mut text = self.text.replace("version: \"3\"", &format!("version: {version:?}"));
        for (before, after) in self.changes {
            text = text.replace(before, after);
        }
        stack(&text)
    }

    fn needs(&self, purpose: Purpose) -> Vec<Need> {
        let stack = self.before("3");
        needs(&of_stack(&stack, &names(&stack)), &names(&stack), purpose)
    }
}

/// Something that is done. What comes before is root's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scene {
    PlanOfNothing,
    Up,
    PlanOfAll,
    Change,
    List,
    Scan,
    Down,
    /// A bucket with versions, with data in it.
    Purge,
    /// A role carries what others attached.
    Conflict,
    /// Another environment uses the buckets, without their options.
    Leave,
}

const LIFE: [Scene; 7] =
    [Scene::PlanOfNothing, Scene::Up, Scene::PlanOfAll, Scene::Change, Scene::List, Scene::Down, Scene::Purge];

impl Scene {
    /// Plays it as somebody who may do what the statements say.
    async fn play(self, spec: &Spec, needs: &[Need]) -> Played {
        let bench = bench(&spec.before("3")).await;
        boundary(&bench.cx).await;
        let version = if spec.text.contains("company") { company(&bench.cx).await } else { "3".to_owned() };
        let before = spec.before(&version);
        if !matches!(self, Scene::PlanOfNothing | Scene::Up) {
            bench.up(&before).await;
        }
        let cx = allowed(&bench, &statements(needs)).await;
        match self {
            Scene::PlanOfNothing => life::plan(&cx, &before).await.map(|steps| assert!(steps > 0)),
            Scene::PlanOfAll => life::plan(&cx, &before).await.map(|steps| assert_eq!(steps, 0)),
            Scene::Up => {
                let summary = life::up(&cx, &before).await?;
                assert!(summary.created > 0);
                // A bucket's tags are set afterwards where they may not be set in the call that creates it.
                let made = cx.calls.made();
                let tagged = made.iter().find(|call| call.operation == "PutBucketTagging");
                tagged.map_or(Ok(()), |call| Err(format!("{call:?}")))
            }
            Scene::Change => {
                tamper(&bench, &before).await;
                life::up(&cx, &spec.after(&version)).await?;
                life::up(&cx, &before).await.map(drop)
            }
            Scene::List => life::list(&cx).await,
            Scene::Scan => life::scan(&cx).await,
            Scene::Down => gone(&life::down(&cx, &before, Purge::Nothing).await?),
            Scene::Purge => {
                fill(&bench, &before).await;
                gone(&life::down(&cx, &before, Purge::Ours).await?)
            }
            Scene::Leave => {
                share(&bench, &before).await;
                gone(&life::down(&cx, &before, Purge::Nothing).await?)
            }
            Scene::Conflict => {
                let policy = format!("arn:aws:iam::{ACCOUNT}:policy/developer-boundary");
                for role in roles(&bench.cx).await {
                    bench
                        .cx
                        .iam()
                        .attach_role_policy()
                        .role_name(role)
                        .policy_arn(&policy)
                        .send()
                        .await
                        .expect("a role");
                }
                let kept = life::down(&cx, &before, Purge::Nothing).await?;
                if kept.is_empty() { Err("no role was kept".into()) } else { Ok(()) }
            }
        }
    }
}

fn gone(kept: &[String]) -> Played {
    if kept.is_empty() { Ok(()) } else { Err(kept.join("\n")) }
}

/// The names of our roles.
async fn roles(cx: &Cx) -> Vec<String> {
    let listed = cx.iam().list_roles().path_prefix("/data/provision/").send().await.expect("roles");
    listed.roles.into_iter().map(|role| role.role_name).collect()
}

/// Changes what no spec can: the trust of our roles, and aliases that others made.
async fn tamper(bench: &Bench, stack: &Stack) {
    for entry in stack.functions.values().filter(|entry| entry.managed().is_some()) {
        let (lambda, name) = (bench.cx.lambda(), entry.physical());
        let version = lambda.publish_version().function_name(name).send().await.expect(name).version;
        let alias = lambda.create_alias().function_name(name).name("others").set_function_version(version);
        alias.send().await.expect(name);
    }
    let trust = serde_json::json!({ "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "AWS": ACCOUNT }, "Action": "sts:AssumeRole" }] });
    for role in roles(&bench.cx).await {
        let call = bench.cx.iam().update_assume_role_policy().role_name(&role).policy_document(trust.to_string());
        call.send().await.unwrap_or_else(|error| panic!("{role} of {}: {error:?}", stack.name));
    }
}

/// Puts objects, their versions and an unfinished upload where each delivery stream writes.
async fn fill(bench: &Bench, stack: &Stack) {
    use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
    let s3 = bench.cx.s3();
    for entry in stack.buckets.values().filter(|entry| entry.managed().is_some()) {
        let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let call = s3.put_bucket_versioning().bucket(entry.physical()).versioning_configuration(enabled);
        call.send().await.expect("versions");
    }
    for entry in
        stack.deliveries.values().filter(|entry| entry.managed().is_some_and(|entry| entry.desired.bucket.managed))
    {
        let desired = &entry.managed().expect("it was looked at").desired;
        if provision::prefix::has_expressions(&desired.good) {
            continue;
        }
        let key = format!("{}2026/07/13/14/{}{NAME_END}", desired.good, entry.physical());
        for _ in 0..2 {
            s3.put_object().bucket(&desired.bucket.id).key(&key).send().await.expect("an object");
        }
        s3.delete_object().bucket(&desired.bucket.id).key(&key).send().await.expect("a delete marker");
        s3.create_multipart_upload().bucket(&desired.bucket.id).key(&key).send().await.expect("an upload");
    }
}

/// Another environment comes into each bucket of ours, and somebody adds a statement to its policy.
async fn share(bench: &Bench, stack: &Stack) {
    let managed = || stack.buckets.iter().filter(|(_, entry)| entry.managed().is_some());
    let Some((_, first)) = managed().next() else { return };
    let first = first.physical();
    let buckets: String =
        managed().map(|(key, entry)| format!("  {key}: {{ name: {} }}\n", entry.physical())).collect();
    let other = crate::common::stack(&format!("version: 1\nstack: {}\nbuckets:\n{buckets}", stack.name));
    let mut cx = bench.cx.clone();
    cx.names = Arc::new(Names { env: Some("other".into()), ..(*cx.names).clone() });
    assert!(bench.up_as(&cx, &other).await.updated > 0, "it claims the bucket");
    let s3 = bench.cx.s3();
    let policy = s3.get_bucket_policy().bucket(first).send().await.ok().and_then(|policy| policy.policy);
    let mut policy: serde_json::Value = policy.map_or_else(
        || serde_json::json!({ "Version": "2012-10-17", "Statement": [] }),
        |text| serde_json::from_str(&text).expect("a policy is JSON"),
    );
    let statement = serde_json::json!({ "Sid": "Others", "Effect": "Allow", "Principal": { "AWS": ACCOUNT },
        "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{first}/*") });
    policy["Statement"].as_array_mut().expect("statements are a list").push(statement);
    s3.put_bucket_policy().bucket(first).policy(policy.to_string()).send().await.expect("a policy");
}

/// The engine does not ask KMS.
fn of_kms(need: &Need) -> bool {
    need.action.starts_with("kms:")
}

/// Plays the scenes without each of the actions that are for these uses: one scene at least must fail.
async fn each_action_is_needed(uses: &[Use], scenes: &[Scene]) {
    let id = |need: &Need| (need.action, need.passed_to);
    let needed = own().needs(Purpose::All).into_iter().filter(|need| uses.contains(&need.to) && !of_kms(need));
    let actions: BTreeSet<_> = needed.map(|need| id(&need)).collect();
    assert!(!actions.is_empty());
    let mut superfluous = vec![];
    for action in actions {
        if !something_fails(|need| id(need) == action, scenes).await {
            superfluous.push(action);
        }
    }
    assert!(superfluous.is_empty(), "nothing fails without {superfluous:?}");
}

/// Plays the scenes with those parts that have such needs, and without these needs, until one fails.
async fn something_fails(left_out: impl Fn(&Need) -> bool, scenes: &[Scene]) -> bool {
    for spec in parts() {
        let all = spec.needs(Purpose::All);
        let rest: Vec<Need> = all.iter().filter(|need| !left_out(need)).cloned().collect();
        for scene in scenes.iter().filter(|_| rest.len() < all.len()) {
            if scene.play(&spec, &rest).await.is_err() {
                return true;
            }
        }
    }
    false
}

#[tokio::test(start_paused = true)]
async fn the_policy_is_enough_for_the_whole_life_of_each_example() {
    for name in ["kinesis-test.yaml", "everything.yaml", "existing.yaml", "page-views.yaml"] {
        let spec = example(name);
        for scene in LIFE.into_iter().filter(|scene| *scene != Scene::Change) {
            let played = scene.play(&spec, &spec.needs(Purpose::All)).await;
            assert_eq!(played, Ok(()), "{name}: {scene:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_policy_is_enough_for_every_change() {
    for (before, _) in CHANGES {
        assert_eq!(own().text.matches(before).count(), 1, "{before:?} stands once in the spec");
    }
    for part in parts() {
        assert_eq!(Scene::Change.play(&part, &part.needs(Purpose::All)).await, Ok(()), "{}", part.text);
    }
    for scene in LIFE.into_iter().chain([Scene::Conflict, Scene::Leave]) {
        assert_eq!(scene.play(&own(), &own().needs(Purpose::All)).await, Ok(()), "{scene:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_for_one_command_is_enough_for_that_command() {
    for (purpose, scenes) in [
        (Purpose::Up, &LIFE[..4]),
        (Purpose::Down, &[Scene::Down, Scene::Purge, Scene::Leave]),
        (Purpose::Verify, &[Scene::PlanOfAll]),
        (Purpose::Scan, &[Scene::List, Scene::Scan]),
    ] {
        for scene in scenes {
            assert_eq!(scene.play(&own(), &own().needs(purpose)).await, Ok(()), "{purpose:?} {scene:?}");
        }
    }
    for (purpose, scene) in [(Purpose::Up, Scene::Purge), (Purpose::Down, Scene::Up), (Purpose::Verify, Scene::Up)] {
        assert!(scene.play(&own(), &own().needs(purpose)).await.is_err(), "{purpose:?} {scene:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_can_be_planned_without_each_action_that_reads() {
    Box::pin(each_action_is_needed(&[Use::Read, Use::ReadWanted], &[Scene::PlanOfNothing, Scene::PlanOfAll])).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_can_be_created_without_each_action_that_creates() {
    Box::pin(each_action_is_needed(&[Use::Create], &[Scene::Up])).await;
}

#[tokio::test(start_paused = true)]
async fn not_everything_can_be_changed_without_each_action_that_updates() {
    Box::pin(each_action_is_needed(&[Use::Update], &[Scene::Change])).await;
}

#[tokio::test(start_paused = true)]
async fn not_everything_can_be_deleted_without_each_action_that_deletes() {
    let scenes = [Scene::Down, Scene::Conflict, Scene::Leave];
    Box::pin(each_action_is_needed(&[Use::Delete, Use::ReadTags, Use::ReadUsers], &scenes)).await;
}

#[tokio::test(start_paused = true)]
async fn data_can_be_purged_and_environments_listed_with_each_action_only() {
    Box::pin(each_action_is_needed(&[Use::Purge], &[Scene::Purge])).await;
    Box::pin(each_action_is_needed(&[Use::List], &[Scene::List])).await;
    let spec = own();
    let all = spec.needs(Purpose::Scan);
    let actions: BTreeSet<_> = all.iter().filter(|need| need.to == Use::Scan).map(|need| need.action).collect();
    for action in actions {
        let rest: Vec<Need> = all.iter().filter(|need| need.action != action).cloned().collect();
        assert!(Box::pin(Scene::Scan.play(&spec, &rest)).await.is_err(), "nothing fails without {action}");
    }
}

/// Each resource by itself: narrower is not enough.
#[tokio::test(start_paused = true)]
async fn nothing_can_be_left_out_of_the_resources() {
    // The continuations of a record: see `a_record_of_two_pages_needs_both`.
    let shown = |need: &&Need| {
        !matches!(need.to, Use::Verify | Use::Data)
            && !of_kms(need)
            && !need.resource.ends_with("log-group:/provision/permitted/-/*")
    };
    let all = own().needs(Purpose::All);
    let resources: BTreeSet<&str> = all.iter().filter(shown).map(|need| need.resource.as_str()).collect();
    let mut superfluous = vec![];
    for resource in resources {
        // Those first in which most fails.
        let scenes = [Scene::Up, Scene::PlanOfNothing, Scene::Change, Scene::Purge, Scene::List];
        if !something_fails(|need| need.resource == resource, &scenes).await {
            superfluous.push(resource);
        }
    }
    assert!(superfluous.is_empty(), "nothing fails without {superfluous:?}");
}

#[tokio::test(start_paused = true)]
async fn a_record_of_two_pages_needs_both() {
    let delivery = |n: usize| format!("  d{n}: {{ name: wide-{n}, bucket: lake, good: {n}/, bad: {n}-failed/ }}\n");
    let deliveries: String = (0..15).map(delivery).collect();
    let text =
        format!("version: 1\nstack: wide\nbuckets: {{ lake: {{ name: wide-lake }} }}\ndeliveries:\n{deliveries}");
    let spec = Spec { text, changes: &[] };
    // The permissions for `list` would cover the reading.
    for (scene, purpose) in [(Scene::Up, Purpose::Up), (Scene::PlanOfAll, Purpose::Up), (Scene::Down, Purpose::Down)] {
        let all = spec.needs(purpose);
        let rest = all.iter().filter(|need| !need.resource.ends_with("/provision/wide/-/*"));
        let rest: Vec<Need> = rest.cloned().collect();
        assert_eq!(scene.play(&spec, &all).await, Ok(()), "{scene:?}");
        assert!(scene.play(&spec, &rest).await.is_err(), "{scene:?}");
    }
}

/// The records of `verify` flow in real time: functions are processes.
async fn verified(spec: &Spec, needs: &[Need]) -> Played {
    let bench = bench(&spec.before("3")).await;
    let before = spec.before(&company(&bench.cx).await);
    bench.up(&before).await;
    let cx = allowed(&bench, &statements(needs)).await;
    let session = Session { cx, place: Place::Within(bench.engine.clone()), stack: Some(before) };
    let args = VerifyArgs { records: Given::Count(10), clean: true, ..VerifyArgs::default() };
    match verify::verify(&session, &args, &bench.events()).await {
        Ok(Exit::Done) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

const VERIFIED: &str = r#"
version: 1
stack: verified
streams: { events: { name: verified-events, shards: 1 } }
buckets: { lake: { name: verified-lake } }
functions:
  square: { name: verified-square, code: { dir: python-transform }, runtime: python3.13, handler: transform.lambda_handler }
deliveries:
  raw: { name: verified-raw, from: events, bucket: lake, good: raw/, bad: raw-failed/, transform: square }
  direct: { name: verified-direct, bucket: lake, good: direct/, bad: direct-failed/ }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn records_can_be_verified_with_each_action_only() {
    let spec = Spec { text: VERIFIED.into(), changes: &[] };
    let all = spec.needs(Purpose::Verify);
    assert_eq!(verified(&spec, &all).await, Ok(()));
    let actions: BTreeSet<_> = all.iter().filter(|need| need.to == Use::Verify).map(|need| need.action).collect();
    for action in actions {
        let rest: Vec<Need> = all.iter().filter(|need| need.action != action).cloned().collect();
        assert!(verified(&spec, &rest).await.is_err(), "nothing fails without {action}");
    }
}

fn known(stack: &str) -> Names {
    Names { account: ACCOUNT.into(), ..names(&example(stack).before("3")) }
}

#[test]
fn a_policy_is_printed_for_a_stack_for_a_command_and_for_any_stack() {
    let experiment = example("kinesis-test.yaml");
    insta::assert_snapshot!("policy", format!("{:#}", policy(&experiment.needs(Purpose::All))));
    insta::assert_snapshot!("policy_existing", format!("{:#}", policy(&example("existing.yaml").needs(Purpose::Up))));
    insta::assert_snapshot!("terraform", terraform("provision", &policy(&experiment.needs(Purpose::Verify))));
    insta::assert_snapshot!("table", table(&experiment.needs(Purpose::Up)));
    let any = Names { stack: "*".into(), env: Some("*".into()), region: "*".into(), ..known("kinesis-test.yaml") };
    insta::assert_snapshot!("any_stack", format!("{:#}", policy(&needs(&any_stack(&any), &any, Purpose::All))));
}

#[test]
fn a_trust_policy_is_printed_for_a_repository() {
    let names = known("kinesis-test.yaml");
    let github = Trusted::parse("github:octo/demo:main").unwrap().document(&names);
    insta::assert_snapshot!("trust_github", format!("{github:#}"));
    let gitlab = Trusted::parse("gitlab:group/demo").unwrap().document(&names);
    insta::assert_snapshot!("trust_gitlab", format!("{gitlab:#}"));
    insta::assert_snapshot!("trust_terraform", terraform("provision_trust", &github));
}

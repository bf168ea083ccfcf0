//! A data folder in which something is damaged: never wrong bytes, never a panic, and what is lost is told.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use local_cloud::Engine;
use serde_json::json;

use super::support::*;

const RECORDS: usize = 40;
const SHARDS: usize = 2;
/// Objects, of which every fourth is more than what stays in a row.
const OBJECTS: usize = 12;

/// Text that does not repeat itself.
fn noise(seed: u64, length: usize) -> String {
    let mut state = seed;
    (0..length).map(|_| char::from(b'a' + (next(&mut state) % 26) as u8)).collect()
}

/// A number that looks like chance, the same in every run.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

fn object(n: usize) -> (String, String) {
    (format!("o{n}"), noise(n as u64, if n.is_multiple_of(4) { 100_000 } else { 50 * n }))
}

fn record(n: usize) -> String {
    format!("{n}.{}", noise(n as u64, 7 * n))
}

async fn fill(engine: &Engine) {
    s3(engine, "PUT", "/lake", &[], "").await;
    json(engine, "Kinesis_20131202.CreateStream", json!({ "StreamName": "s", "ShardCount": SHARDS })).await;
    engine.advance(Duration::from_secs(1)).await;
    for (key, body) in (0..OBJECTS).map(object) {
        s3(engine, "PUT", &format!("/lake/{key}"), &[], &body).await;
    }
    for n in 0..RECORDS {
        let data = base64_simd::STANDARD.encode_to_string(record(n));
        let input = json!({ "StreamName": "s", "PartitionKey": n.to_string(), "Data": data });
        json(engine, "Kinesis_20131202.PutRecord", input).await;
    }
    let role = role(engine, "lambda.amazonaws.com").await;
    let function = json!({ "FunctionName": "f", "Role": role, "Runtime": "python3.13", "Handler": "f.f",
        "Code": { "ZipFile": zip() } });
    assert_eq!(lambda(engine, "", function).await.status(), 201);
    engine.advance(Duration::from_secs(1)).await;
}

fn zip() -> String {
    zip_of("f.txt", &noise(7, 20_000))
}

/// How many records, and which objects, are not there. What is there is as it was put.
async fn missing(engine: &Engine, how: &str) -> (usize, Vec<String>) {
    let mut found = BTreeSet::new();
    for shard in 0..SHARDS {
        let begin = json!({ "StreamName": "s", "ShardId": format!("shardId-{shard:012}"),
            "ShardIteratorType": "TRIM_HORIZON" });
        let Some(mut iterator) = try_json(engine, "GetShardIterator", begin, how).await else { continue };
        loop {
            let input = json!({ "ShardIterator": iterator["ShardIterator"], "Limit": 7 });
            let read = try_json(engine, "GetRecords", input, how).await.expect("the iterator was given");
            let records = read["Records"].as_array().expect("an array").clone();
            if records.is_empty() {
                break;
            }
            for got in records {
                let data = base64_simd::STANDARD.decode_to_vec(got["Data"].as_str().expect("data")).expect("base64");
                let n: usize = got["PartitionKey"].as_str().and_then(|key| key.parse().ok()).expect("a number");
                assert!(data == record(n).as_bytes() && found.insert(n), "{how}: record {n} is wrong or there twice");
            }
            iterator = json!({ "ShardIterator": read["NextShardIterator"] });
        }
    }
    let mut absent = vec![];
    for (key, body) in (0..OBJECTS).map(object) {
        let answer = s3(engine, "GET", &format!("/lake/{key}"), &[], "").await;
        match answer.status().as_u16() {
            200 => assert!(*answer.body() == body, "{how}: {key} has wrong bytes"),
            404 => absent.push(key),
            status => {
                let text = text(&answer);
                let told = text.contains("<Code>InternalError</Code>") && text.contains("data folder was damaged");
                assert!(status == 500 && told, "{how}: {key}: {status} {text}");
                absent.push(key);
            }
        }
    }
    (RECORDS - found.len(), absent)
}

/// The answer, unless the stream is not there.
async fn try_json(engine: &Engine, operation: &str, input: serde_json::Value, how: &str) -> Option<serde_json::Value> {
    let target = format!("Kinesis_20131202.{operation}");
    let request = http::Request::post("/").header("authorization", SIGNED).header("x-amz-target", target);
    let answer = engine.call(request.body(input.to_string().into()).expect("valid parts")).await;
    let status = answer.status().as_u16();
    assert!(status == 200 || text(&answer).contains("ResourceNotFound"), "{how}: {status} {}", text(&answer));
    (status == 200).then(|| serde_json::from_slice(answer.body()).expect("JSON"))
}

type Files = BTreeMap<PathBuf, Vec<u8>>;

fn files_in(folder: &Path, below: &Path, out: &mut Files) {
    for entry in std::fs::read_dir(folder.join(below)).expect("it can be listed") {
        let path = below.join(entry.expect("it can be listed").file_name());
        match folder.join(&path).is_dir() {
            true => files_in(folder, &path, out),
            false => drop(out.insert(path.clone(), std::fs::read(folder.join(path)).expect("it can be read"))),
        }
    }
}

fn write(files: &Files, folder: &Path) {
    for (path, bytes) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a new folder");
        std::fs::write(path, bytes).expect("it can be written");
    }
}

/// The files in the folder of an engine that was closed, and of one that was killed.
async fn filled() -> [Files; 2] {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let engine = on_disk(folder.path()).await.expect("a new folder");
    fill(&engine).await;
    let [mut killed, mut closed] = [Files::new(), Files::new()];
    files_in(folder.path(), Path::new(""), &mut killed);
    engine.close().await;
    files_in(folder.path(), Path::new(""), &mut closed);
    assert_eq!(closed.len(), 5, "{:?}", closed.keys());
    [closed, killed]
}

#[derive(Debug, Default)]
struct Counts {
    harmless: usize,
    told: usize,
    lost_something: usize,
    refused: usize,
}

/// Starts an engine on damaged files.
async fn check(files: &Files, damaged: &Path, how: &str, counts: &mut Counts) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(files, folder.path());
    let engine = match on_disk(folder.path()).await {
        Ok(engine) => engine,
        Err(error) => {
            let told = error.to_string();
            let named = told.contains(&*damaged.file_name().expect("a file").to_string_lossy());
            assert!(named && damaged.ends_with("world.redb"), "{how}: {told}");
            counts.refused += 1;
            return;
        }
    };
    let damage = engine.damage();
    let (records, objects) = missing(&engine, how).await;
    assert!(records == 0 && objects.is_empty() || !damage.is_empty(), "{how}: {records} {objects:?} without a word");
    let lost: u64 = damage.iter().map(|damage| damage.lost_records).sum();
    let named = damage.iter().any(|damage| !damage.lost.is_empty() || !damage.counted);
    assert!(records as u64 == lost || named, "{how}: {records} missing, {damage:?}");
    assert!(objects.is_empty() || named, "{how}: {objects:?} {damage:?}");
    for told in &damage {
        assert!(told.file.starts_with(folder.path()), "{how}: {told}");
    }
    match damage.is_empty() {
        true => counts.harmless += 1,
        false => counts.told += 1,
    }
    counts.lost_something += usize::from(records > 0 || !objects.is_empty());
    // It goes on, and the next engine finds what was saved, whole.
    s3(&engine, "PUT", "/after", &[], "").await;
    assert_eq!(s3(&engine, "PUT", "/after/new", &[], "new").await.status(), 200, "{how}");
    engine.close().await;
    let again = on_disk(folder.path()).await.unwrap_or_else(|error| panic!("{how}: again: {error}"));
    assert_eq!((missing(&again, how).await, again.damage()), ((records, objects), vec![]), "{how}: again");
    assert_eq!(text(&s3(&again, "GET", "/after/new", &[], "").await), "new", "{how}: again");
}

#[tokio::test]
async fn whatever_bit_of_whatever_file_is_flipped_nothing_wrong_is_served_and_what_is_lost_is_told() {
    for (files, state) in filled().await.iter().zip(["closed", "killed"]) {
        for path in files.keys() {
            let (mut counts, mut seed) = (Counts::default(), path.as_os_str().len() as u64);
            let bytes = &files[path];
            // Most of redb's files is zero, and unused.
            let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
            for flip in 0..15 {
                let chance = next(&mut seed) as usize;
                let at = match (flip % 3, used.is_empty()) {
                    _ if bytes.is_empty() => break,
                    (0, _) | (_, true) => chance % bytes.len(),
                    (1, _) => used[chance % used.len().min(300)],
                    (_, _) => used[chance % used.len()],
                };
                let mut flipped = files.clone();
                flipped.get_mut(path).expect("it is there")[at] ^= 1 << (chance % 8);
                check(&flipped, path, &format!("{state} {} byte {at}", path.display()), &mut counts).await;
            }
            println!("{state} {}: {counts:?}", path.display());
        }
    }
}

#[tokio::test]
async fn a_file_that_is_missing_or_cut_off_is_missed() {
    for (files, state) in filled().await.iter().zip(["closed", "killed"]) {
        for path in files.keys() {
            let mut counts = Counts::default();
            let mut gone = files.clone();
            gone.remove(path);
            check(&gone, path, &format!("{state} without {}", path.display()), &mut counts).await;
            for part in 0..4 {
                let mut cut = files.clone();
                let bytes = cut.get_mut(path).expect("it is there");
                bytes.truncate(bytes.len() * part / 4);
                check(&cut, path, &format!("{state} {part}/4 of {}", path.display()), &mut counts).await;
            }
            println!("{state} {}: {counts:?}", path.display());
        }
    }
}

#[tokio::test]
async fn lost_contents_are_errors_of_the_service_and_are_told_by_the_control_api() {
    let [mut files, _] = filled().await;
    files.remove(Path::new("contents.redb"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(&files, folder.path());
    let engine = on_disk(folder.path()).await.expect("an engine starts all the same");
    assert_eq!(missing(&engine, "").await, (0, ["o0", "o4", "o8"].map(str::to_owned).to_vec()));
    let answer = s3(&engine, "GET", "/lake/o4", &[], "").await;
    assert!(answer.status() == 500 && text(&answer).contains("<Code>InternalError</Code>"), "{}", text(&answer));
    let copied = s3(&engine, "PUT", "/lake/copy", &[("x-amz-copy-source", "lake/o4")], "").await;
    assert_eq!(copied.status(), 500, "{}", text(&copied));
    let part = s3(&engine, "GET", "/lake/o4", &[("range", "bytes=0-9")], "").await;
    assert_eq!((part.status().as_u16(), text(&part).contains("InternalError")), (500, true));
    assert!(text(&s3(&engine, "GET", "/lake", &[], "").await).contains("<Key>o4</Key>"), "it is still listed");

    let health: serde_json::Value =
        serde_json::from_str(text(&s3(&engine, "GET", "/_local/health", &[], "").await)).expect("JSON");
    assert_eq!(health["refuses_changes"], json!(null));
    let [damage] = health["damage"].as_array().expect("a list").as_slice() else { panic!("{health}") };
    assert_eq!((&damage["what"], &damage["lost_records"]), (&json!("it is missing"), &json!(0)));
    let lost = damage["lost"].as_array().expect("a list");
    assert!(lost.len() == 3 && lost.contains(&json!("s3/contents lake/o0")), "{damage}");

    let (key, body) = object(4);
    assert_eq!(s3(&engine, "PUT", &format!("/lake/{key}"), &[], &body).await.status(), 200);
    assert_eq!(s3(&engine, "DELETE", "/lake/o8", &[], "").await.status(), 204);
    assert_eq!(missing(&engine, "").await.1, ["o0", "o8"]);
}

#[tokio::test]
async fn a_function_whose_code_is_lost_cannot_be_invoked_until_it_is_sent_again() {
    let [mut files, _] = filled().await;
    let world = files.get_mut(Path::new("world.redb")).expect("it is there");
    let part = &base64_simd::STANDARD.decode_to_vec(zip()).expect("base64")[1_000..1_064];
    let at = world.windows(part.len()).position(|window| window == part).expect("the code is in a row");
    world[at] ^= 1;
    // One that was killed while it saved what is whole leaves this behind.
    let unfinished = world[..world.len() / 2].to_vec();
    files.insert("world.new".into(), unfinished);
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(&files, folder.path());
    let engine = on_disk(folder.path()).await.expect("an engine starts all the same");
    let damage = engine.damage();
    assert!(damage.len() == 1 && damage[0].lost.len() == 1 && damage[0].counted, "{damage:?}");
    assert!(damage[0].lost[0].starts_with("lambda/code "), "{damage:?}");
    assert!(damage[0].kept_as.as_ref().is_some_and(|path| path.ends_with("damaged/1/world.redb")), "{damage:?}");
    assert_eq!(missing(&engine, "").await, (0, vec![]), "the other rows are there");
    let invoked = lambda(&engine, "/f/invocations", json!({})).await;
    let kind = header(&invoked, "x-amzn-errortype");
    assert_eq!((invoked.status().as_u16(), kind), (500, "ServiceException"), "{}", text(&invoked));
    assert!(text(&invoked).contains("the function's code was lost"), "{}", text(&invoked));
    let update = http::Request::put("/2015-03-31/functions/f/code")
        .header("authorization", SIGNED.replace("/s3/", "/lambda/"))
        .body(json!({ "ZipFile": zip() }).to_string().into());
    assert_eq!(engine.call(update.expect("valid parts")).await.status(), 200);
    engine.advance(Duration::from_secs(1)).await;
    let invoked = lambda(&engine, "/f/invocations", json!({})).await;
    assert!(invoked.status() == 200 && !text(&invoked).contains("was lost"), "{}", text(&invoked));
}

#[tokio::test]
async fn nobody_else_reads_a_data_folder_and_one_that_others_could_read_is_closed() {
    let [files, _] = filled().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("above/data");
    write(&files, &data);
    let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
    let open = |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("ours");
    let all = |folder: &Path| {
        let mut found = Files::new();
        files_in(folder, Path::new(""), &mut found);
        found.into_keys().map(|path| folder.join(path)).collect::<Vec<_>>()
    };
    all(&data).iter().for_each(|path| open(path));
    [&data, &data.join("records")].into_iter().for_each(|path| open(path));
    for data in [data, folder.path().join("new/data")] {
        let engine = on_disk(&data).await.expect("it can be used");
        s3(&engine, "PUT", "/another", &[], "").await;
        let files = all(&data);
        assert!(files.len() >= 4 && files.iter().all(|path| mode(path) == 0o600), "{files:?}");
        assert_eq!((mode(&data), mode(&data.join("functions"))), (0o700, 0o700));
        engine.close().await;
    }
    // Files of others stay as they were.
    let shared = folder.path().join("above");
    std::fs::write(shared.join("note"), "").expect("it can be written");
    [&shared, &shared.join("note")].into_iter().for_each(|path| open(path));
    on_disk(&shared).await.expect("it can be used").close().await;
    assert_eq!((mode(&shared), mode(&shared.join("note")), mode(&shared.join("commit"))), (0o755, 0o755, 0o600));
}

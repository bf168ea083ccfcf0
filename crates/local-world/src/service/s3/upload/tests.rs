//! Uploads without a client.

use super::super::checksum::Algorithm;
use md5::{Digest, Md5};

use super::completion::MIN_PART_BYTES;
use super::*;

const BIG: usize = MIN_PART_BYTES as usize;

fn begun(sizes: &[usize]) -> State {
    let mut state = State::default();
    state.create_bucket(0, "us-east-1", "lake", None, BTreeMap::new()).expect("a good name");
    state.begin_upload(0, "id", "lake", "k", Description::default(), None).expect("the bucket is there");
    for (at, size) in sizes.iter().enumerate() {
        let body = Bytes::from(vec![b'a'; *size]);
        state.put_part(0, "id", at as i32 + 1, body, &Sums::default(), None).expect("the upload is there");
    }
    state
}

fn part(number: i32, etag: Option<&str>) -> Asked {
    Asked { number, etag: etag.map(str::to_owned), checksum: None }
}

fn completion(parts: &[Asked]) -> Completion {
    Completion { parts: parts.to_vec(), checksum: None, composite: None, size: None, precondition: Precondition::None }
}

#[test]
fn parts_are_joined_in_their_order_and_then_forgotten() {
    let mut state = begun(&[BIG, 3]);
    let asked = [part(1, None), part(2, Some("47bce5c74f589f4867dbd57e9ca9f808"))];
    let stored =
        state.complete_upload(1, "id", "lake", "k", completion(&asked), &Joined::default()).expect("good parts");
    assert!(stored.etag.ends_with("-2"), "{stored:?}");
    assert_eq!(state.get("lake", "k", None).map(|(_, body)| body.len()), Ok(BIG + 3));
    assert_eq!(state.upload("id", "lake", "k").map_err(|error| error.code), Err("NoSuchUpload"));
    let mut changes = crate::changes::Changes::new(true);
    state.take_changes(&mut changes);
    let rows = changes.rows;
    let left = rows.iter().filter(|change| change.table == "s3/parts" && change.value.is_some());
    assert_eq!(left.count(), 0);
}

#[test]
fn a_repeated_completion_is_answered_like_the_first_while_its_object_is_there() {
    let mut state = begun(&[BIG, 3]);
    let complete = |state: &mut State, asked: &[Asked]| {
        let completed = state.complete_upload(1, "id", "lake", "k", completion(asked), &Joined::default());
        completed.map_err(|error| error.code)
    };
    let asked = [part(1, None), part(2, Some("47bce5c74f589f4867dbd57e9ca9f808"))];
    let first = complete(&mut state, &asked);
    assert!(first.is_ok(), "{first:?}");
    assert_eq!(complete(&mut state, &asked), first);
    let part_1 = hex::encode(Md5::digest(vec![b'a'; BIG]));
    assert_eq!(complete(&mut state, &[part(1, Some(&part_1)), asked[1].clone()]), first);
    for wrong in [[part(1, Some("00")), asked[1].clone()], [part(1, None), part(2, Some(&part_1))]] {
        assert_eq!(complete(&mut state, &wrong), Err("NoSuchUpload"), "{wrong:?}");
    }
    let sum = Some(Algorithm::Crc32.of(b"other"));
    for wrong in [
        Completion { size: Some(3), ..completion(&asked) },
        Completion { checksum: sum, ..completion(&asked) },
        Completion { composite: Some(true), ..completion(&asked) },
    ] {
        let refused = state.complete_upload(1, "id", "lake", "k", wrong.clone(), &Joined::default());
        assert_eq!(refused.map_err(|error| error.code), Err("NoSuchUpload"), "{wrong:?}");
    }
    let same_size = Completion { size: Some(BIG as u64 + 3), ..completion(&asked) };
    assert!(state.complete_upload(1, "id", "lake", "k", same_size, &Joined::default()).is_ok());
    assert_eq!(complete(&mut state, &asked[..1]), Err("NoSuchUpload"));
    assert!(state.delete(2, "lake", "k", None).is_ok());
    assert_eq!(complete(&mut state, &asked), Err("NoSuchUpload"));
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let other = Asked { number: 1, checksum: Some(Algorithm::Sha1.of(b"other")), ..Asked::default() };
    for (sizes, asked, code) in [
        (&[3, 3][..], &[part(1, None), part(2, None)][..], "EntityTooSmall"),
        (&[BIG, 3], &[part(2, None), part(1, None)], "InvalidPartOrder"),
        (&[3], &[part(2, None)], "InvalidPart"),
        (&[3], &[part(1, Some("00"))], "InvalidPart"),
        (&[3], &[other], "InvalidPart"),
        (&[3], &[], "InvalidRequest"),
    ] {
        let refused = begun(sizes).complete_upload(1, "id", "lake", "k", completion(asked), &Joined::default());
        assert_eq!(refused.map_err(|error| error.code), Err(code));
    }
}

type Act<'a> = &'a dyn Fn(&mut State) -> Result<(), AwsError>;
type Row<'a> = (Option<Act<'a>>, &'a [Act<'a>], Precondition, Result<(), &'static str>);

#[test]
fn a_conditional_completion_loses_to_what_others_did_to_the_key_meanwhile() {
    let object = || New::whole(Bytes::from_static(b"x"), &Sums::default(), None, Description::default());
    let etag = || Precondition::Etag(object().etag);
    let put = |state: &mut State| state.put(1, "lake", "k", object(), Precondition::None).map(drop);
    let delete = |state: &mut State| state.delete(1, "lake", "k", None).map(drop);
    let (quiet, conflict) = (Ok(()), Err("ConditionalRequestConflict"));
    // (what is there before, what happens during the upload, the condition, what comes of it)
    let table: [Row; 8] = [
        (None, &[], Precondition::Absent, quiet),
        (Some(&put), &[], etag(), quiet),
        (Some(&put), &[&put], Precondition::None, quiet),
        (Some(&put), &[&put], etag(), conflict),
        (Some(&put), &[&put], Precondition::Etag("0".into()), Err("PreconditionFailed")),
        (Some(&put), &[&delete], Precondition::Absent, conflict),
        (Some(&put), &[&delete], etag(), Err("NoSuchKey")),
        (Some(&put), &[&delete, &put], etag(), conflict),
    ];
    for (at, (before, during, precondition, expected)) in table.into_iter().enumerate() {
        let mut state = begun(&[]);
        before.into_iter().for_each(|act| act(&mut state).expect("the bucket is there"));
        state.begin_upload(0, "own", "lake", "k", Description::default(), None).expect("the bucket is there");
        state.put_part(0, "own", 1, Bytes::from_static(b"y"), &Sums::default(), None).expect("the upload is there");
        during.iter().for_each(|act| act(&mut state).expect("the bucket is there"));
        let completion = Completion { precondition, ..completion(&[part(1, None)]) };
        let done = state.complete_upload(2, "own", "lake", "k", completion, &Joined::default());
        assert_eq!(done.map(drop).map_err(|error| error.code), expected, "row {at}");
    }
}

#[test]
fn a_completion_speaks_of_sums_and_sizes_as_the_upload_was_begun() {
    let refused = |wanted: Option<bool>, composite, size| {
        let mut state = begun(&[3]);
        let wanted = wanted.map(|composite| Wanted { algorithm: Algorithm::Crc32, composite });
        state.uploads.get_mut("id").expect("it was begun").checksum = wanted;
        let completion = Completion { composite, size, ..completion(&[part(1, None)]) };
        state.complete_upload(1, "id", "lake", "k", completion, &Joined::default()).err().map(|error| error.message)
    };
    assert_eq!(refused(None, None, Some(3)), None);
    for (wanted, composite, size, said) in [
        (None, Some(false), None, "created using the null checksum mode"),
        (Some(true), Some(false), None, "created using the COMPOSITE checksum mode"),
        (Some(true), None, None, "created using a crc32 checksum. The complete request must include"),
        (None, None, Some(5), "header value 5 does not match what was computed: 3"),
    ] {
        let message = refused(wanted, composite, size).unwrap_or_default();
        assert!(message.contains(said), "{message}");
    }
}

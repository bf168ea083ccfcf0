//! Links in a zip.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use bytes::Bytes;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::super::unpack::unpack;
use super::{BOOTSTRAP, Runner, image};

/// A link, or a file whose text is its name.
enum Put {
    Link(&'static str, &'static str),
    File(&'static str),
}
use Put::{File, Link};

fn zip_of(entries: &[Put]) -> Bytes {
    let mut zip = ZipWriter::new(Cursor::new(vec![]));
    for entry in entries {
        match entry {
            Link(name, to) => zip.add_symlink(*name, *to, SimpleFileOptions::default()).unwrap(),
            File(name) => {
                zip.start_file(*name, SimpleFileOptions::default()).unwrap();
                zip.write_all(name.as_bytes()).unwrap();
            }
        }
    }
    zip.finish().unwrap().into_inner().into()
}

#[test]
fn links_that_stay_inside_are_kept() {
    let zip = zip_of(&[
        Link("node_modules/.bin/tool", "../tool/cli.js"),
        File("node_modules/tool/cli.js"),
        Link("chain", "node_modules/.bin/tool"),
        Link("folder", "node_modules/tool"),
        Link("new/broken", "nothing"),
    ]);
    let folder = unpack(zip, &std::env::temp_dir()).unwrap();
    for name in ["node_modules/.bin/tool", "chain", "folder/cli.js"] {
        assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), "node_modules/tool/cli.js", "{name}");
    }
    assert_eq!(fs::read_link(folder.path().join("node_modules/.bin/tool")).unwrap(), Path::new("../tool/cli.js"));
    assert_eq!(fs::read_link(folder.path().join("new/broken")).unwrap(), Path::new("nothing"));
}

#[test]
fn what_would_leave_the_folder_is_refused() {
    for (entries, told) in [
        (&[File("../escape")][..], "../escape leads out of the zip"),
        (&[Link("up", "..")], "the link up to .. leads out of the zip"),
        (&[Link("a/up", "../../x")], "the link a/up to ../../x leads out of the zip"),
        (&[Link("etc", "/etc")], "the link etc to /etc leads out of the zip"),
        // The second would lead out through the first.
        (
            &[Link("a/b/top", "../.."), Link("out", "a/b/top/../..")],
            "the link out to a/b/top/../.. leads out of the zip",
        ),
        (&[Link("../out", "x")], "../out leads out of the zip"),
        (&[Link("a", "b"), File("b/x"), File("a/written")], "the link a: it is in the place of another entry"),
        (&[File("a/written"), Link("a", "b")], "the link a: it is in the place of another entry"),
        (&[Link("a", "b"), Link("a/c", "d")], "the link a/c: a is no folder"),
        (&[Link("a", "b"), Link("A/../a", "c")], "the link a: it is in the place of another entry"),
    ] {
        let place = tempfile::tempdir().unwrap();
        let error = unpack(zip_of(entries), place.path()).unwrap_err();
        assert_eq!(error.to_string(), told);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "{told}: nothing is left");
    }
}

#[tokio::test]
async fn a_function_runs_what_a_link_leads_to() {
    let mut zip = ZipWriter::new(Cursor::new(vec![]));
    zip.start_file("lib/run", SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
    zip.write_all(BOOTSTRAP.as_bytes()).unwrap();
    zip.add_symlink("bootstrap", "lib/run", SimpleFileOptions::default()).unwrap();
    let function = image("provided.al2023", zip.finish().unwrap().into_inner().into());
    assert_eq!(Runner::new().invoke(&function, Bytes::from("[1]").into()).await.payload, "[1]");
}

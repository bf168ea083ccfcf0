//! `.provision`: what is built, kept and found here. It ignores itself, so that it never shows in `git status`.

use std::io;
use std::path::Path;

/// Makes it where it is not there yet.
pub fn make(work_dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(work_dir)?;
    let ignore = work_dir.join(".gitignore");
    match std::fs::File::create_new(&ignore).and_then(|mut file| io::Write::write_all(&mut file, b"*\n")) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_ignores_itself_and_keeps_what_somebody_wrote() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let work_dir = folder.path().join("a/.provision");
        let ignored = || std::fs::read_to_string(work_dir.join(".gitignore")).expect("it is there");
        super::make(&work_dir).expect("it can be made");
        assert_eq!(ignored(), "*\n");
        std::fs::write(work_dir.join(".gitignore"), "artifacts\n").expect("it can be written");
        super::make(&work_dir).expect("it is there");
        assert_eq!(ignored(), "artifacts\n");
    }
}

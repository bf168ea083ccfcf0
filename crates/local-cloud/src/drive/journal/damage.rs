//! Damage of a data folder, and what is lost by it.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// One damaged or missing file, as it was found when the engine started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// The file, in the data folder.
    pub file: PathBuf,
    /// Where the damage begins, in bytes from the start of the file. `None`: the file as a whole.
    pub offset: Option<u64>,
    /// The problem with the file, for people.
    pub what: String,
    /// How many records of streams are lost.
    pub lost_records: u64,
    /// The names of what else is lost.
    pub lost: Vec<String>,
    /// Is that all? Otherwise it is the least that is lost.
    pub counted: bool,
    /// Where the damaged file was put; it is not used any more.
    pub kept_as: Option<PathBuf>,
}

/// So many names stand in a line.
const NAMES: usize = 5;

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(offset) = self.offset {
            write!(f, ", byte {offset}")?;
        }
        write!(f, ": {}; lost: ", self.what)?;
        let least = if self.counted { "" } else { "at least " };
        match (self.lost_records, self.lost.len()) {
            (0, 0) if self.counted => write!(f, "nothing")?,
            (0, 0) => write!(f, "unknown")?,
            (records, 0) => write!(f, "{least}{records} records")?,
            (records, names) => {
                write!(f, "{least}")?;
                if records > 0 {
                    write!(f, "{records} records, ")?;
                }
                write!(f, "{}", self.lost[..names.min(NAMES)].join(", "))?;
                if names > NAMES {
                    write!(f, " and {} more", names - NAMES)?;
                }
            }
        }
        match &self.kept_as {
            Some(path) => write!(f, "; the damaged file is kept as {}", path.display()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_where_what_and_how_much() {
        let damage = Damage { file: "f".into(), what: "3 bytes cannot be read".into(), ..Damage::default() };
        assert_eq!(damage.to_string(), "f: 3 bytes cannot be read; lost: unknown");
        let counted = Damage { offset: Some(7), lost_records: 2, counted: true, ..damage.clone() };
        assert_eq!(counted.to_string(), "f, byte 7: 3 bytes cannot be read; lost: 2 records");
        let names = (1..=7).map(|n| format!("row {n}")).collect();
        let named = Damage { lost: names, lost_records: 2, kept_as: Some("g".into()), ..damage };
        assert_eq!(
            named.to_string(),
            "f: 3 bytes cannot be read; lost: at least 2 records, row 1, row 2, row 3, row 4, row 5 and 2 more; the damaged \
             file is kept as g"
        );
    }
}

//! The changes that a plan makes to one resource, and the result of a deletion: plain data.

/// One field that a new resource is made with.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Field {
    /// In the spec's words.
    pub name: String,
    pub value: String,
    /// Is it what AWS, or this tool, takes where nothing is said?
    pub default: bool,
}

impl Field {
    /// A field that is worth seeing, whatever its value.
    pub fn said(name: impl Into<String>, value: impl Into<String>) -> Field {
        Field { name: name.into(), value: value.into(), default: false }
    }

    /// A field of which it is known whether its value is the default.
    pub fn known(name: impl Into<String>, value: impl Into<String>, default: bool) -> Field {
        Field { name: name.into(), value: value.into(), default }
    }
}

/// A read that AWS refused, and that a plan may need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// In AWS's words.
    pub why: String,
    pub hint: &'static str,
    /// Does the plan need it even if the resource is somebody else's?
    pub even_if_others: bool,
}

/// How a deletion ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Gone {
    /// It is not there any more.
    Deleted,
    /// It is not there any more, and this is worth saying.
    DeletedWith(String),
    /// This environment does not use it any more; it stays for those who do.
    Left(String),
    /// AWS has accepted the deletion and is at it.
    Deleting,
    /// It stays, for this reason (a bucket that is not empty).
    Kept(String),
}

/// The differences between what is wanted and what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Diff {
    pub changes: Vec<Change>,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Change {
    /// In the spec's words: `retention`, `buffer.size`.
    pub field: String,
    pub from: String,
    pub to: String,
    /// Why this cannot be changed in place, if it cannot.
    pub replaces: Option<&'static str>,
}

impl Diff {
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Does `field` differ?
    pub fn has(&self, field: &str) -> bool {
        self.changes.iter().any(|change| change.field == field)
    }

    /// Adds a difference where there is one.
    pub fn compare<T: PartialEq + std::fmt::Display + ?Sized>(&mut self, field: &str, from: &T, to: &T) -> &mut Diff {
        if from != to {
            self.push(field, from.to_string(), to.to_string(), None);
        }
        self
    }

    /// Adds a difference that replaces the resource.
    pub fn compare_immutable<T: PartialEq + std::fmt::Display + ?Sized>(
        &mut self,
        field: &str,
        from: &T,
        to: &T,
        why: &'static str,
    ) -> &mut Diff {
        if from != to {
            self.push(field, from.to_string(), to.to_string(), Some(why));
        }
        self
    }

    pub fn push(&mut self, field: &str, from: String, to: String, replaces: Option<&'static str>) {
        self.changes.push(Change { field: field.to_owned(), from, to, replaces });
    }

    pub fn replaces(&self) -> bool {
        self.changes.iter().any(|change| change.replaces.is_some())
    }
}

//! The records that a delivery stream has stored, object by object.

use crate::cloud::Cx;
use crate::error::Result;
use crate::follow::split;
use crate::resource::delivery_stream::DeliveryStream;
use crate::verify::objects::{ErrorRecord, Object, Objects};

/// One record of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    pub object: String,
    /// Epoch seconds.
    pub stored_s: i64,
    pub data: Vec<u8>,
    /// Firehose's code and message, of a record that failed.
    pub error: Option<(String, String)>,
}

/// The records of an object: those that failed, or what was delivered.
pub fn records(object: &Object, errors: Option<Vec<ErrorRecord>>) -> Vec<Delivered> {
    let one = |data: &[u8], error| Delivered {
        object: object.key.clone(),
        stored_s: object.stored_s,
        data: data.to_vec(),
        error,
    };
    match errors {
        Some(errors) => {
            errors.into_iter().map(|failed| one(&failed.raw, Some((failed.code, failed.message)))).collect()
        }
        None => split::records(&object.bytes).into_iter().map(|data| one(data, None)).collect(),
    }
}

/// Reads new objects each time it is asked.
pub struct Follower {
    objects: Objects,
    failed: bool,
}

impl Follower {
    /// `failed`: the records that failed, and not those that were delivered. `since_s` is in the bucket's time.
    pub fn new(delivery: &DeliveryStream, name: &str, failed: bool, since_s: i64) -> Follower {
        Follower { objects: Objects::of(delivery, name, since_s), failed }
    }

    /// The records of the objects that were not there before, in the order in which they were stored.
    pub async fn new_ones(&mut self, cx: &Cx) -> Result<Vec<Delivered>> {
        let mut found = vec![];
        for listed in self.objects.new_ones(cx).await? {
            let (object, errors) = self.objects.read(cx, &listed).await?;
            if errors.is_some() == self.failed {
                found.extend(records(&object, errors));
            }
        }
        found.sort_by(|a, b| (a.stored_s, &a.object).cmp(&(b.stored_s, &b.object)));
        Ok(found)
    }
}

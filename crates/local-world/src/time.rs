//! World time, and how long the states that are not instant last in it.

/// Milliseconds since the Unix epoch, in the world's own time.
pub type Millis = u64;

/// The latest that the world's clock shows, where it stands: the beginning of the year 9000. Times that follow from it, such as
/// an expiry, are still times that every calendar has.
pub const LATEST: Millis = 221_845_392_000_000;

/// Durations, in milliseconds of world time, of the states between "asked for" and "there".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    /// A stream is CREATING, UPDATING or DELETING this long.
    pub stream: Millis,
    /// A delivery stream is CREATING or DELETING this long.
    pub delivery_stream: Millis,
    /// A function is Pending, or its update InProgress, this long.
    pub function: Millis,
    /// A role exists this long before a service can assume it, and a policy before it counts.
    pub role: Millis,
}

impl Delays {
    /// Every state is reached at once.
    pub const NONE: Delays = Delays { stream: 0, delivery_stream: 0, function: 0, role: 0 };
    /// Every state is seen, none lasts: the default.
    pub const FAST: Delays = Delays { stream: 60, delivery_stream: 60, function: 40, role: 80 };
    /// About as long as on AWS.
    pub const AWS: Delays = Delays { stream: 12_000, delivery_stream: 30_000, function: 2_000, role: 8_000 };

    /// The states that come to an end by themselves last that much longer.
    pub fn longer(self, by: Millis) -> Delays {
        Delays {
            stream: self.stream + by,
            delivery_stream: self.delivery_stream + by,
            function: self.function + by,
            role: self.role,
        }
    }

    /// `none`, `fast` or `aws`.
    pub fn parse(word: &str) -> Option<Delays> {
        match word {
            "none" => Some(Delays::NONE),
            "fast" => Some(Delays::FAST),
            "aws" => Some(Delays::AWS),
            _ => None,
        }
    }
}

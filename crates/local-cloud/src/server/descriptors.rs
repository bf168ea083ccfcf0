//! File descriptors: as many as the process may have, and what happens where that is too few.

use std::io;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More are never asked for.
const WANTED: u64 = 65_536;

/// A system that has a lower limit than it says takes this one (macOS's `OPEN_MAX`).
const MODEST: u64 = 10_240;

/// More connections are never served at once.
const MOST_CONNECTIONS: u64 = 4096;

/// Raises the soft limit as far as the hard one lets it, and gives the limit that is then in force.
pub fn raise() -> u64 {
    for wanted in [WANTED, MODEST] {
        let limit = getrlimit(Resource::Nofile);
        let wanted = limit.maximum.map_or(wanted, |most| most.min(wanted));
        if limit.current.is_none_or(|current| current >= wanted) {
            break;
        }
        if setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum }).is_ok() {
            break;
        }
    }
    getrlimit(Resource::Nofile).current.unwrap_or(WANTED)
}

/// Half of all descriptors: the other half is for files, functions and their pipes.
pub fn most_connections(descriptors: u64) -> usize {
    (descriptors / 2).clamp(8, MOST_CONNECTIONS) as usize
}

/// Did something fail because the process, or the system, has no descriptor (or no memory for one) left?
pub fn are_used_up(error: &io::Error) -> bool {
    let codes = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    codes.iter().any(|code| error.raw_os_error() == Some(code.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_descriptors_are_for_connections() {
        for (descriptors, expected) in [(0, 8), (64, 32), (256, 128), (1024, 512), (65_536, 4096), (u64::MAX, 4096)] {
            assert_eq!(most_connections(descriptors), expected, "{descriptors}");
        }
        assert!(are_used_up(&Errno::MFILE.into()) && are_used_up(&Errno::NFILE.into()));
        assert!(!are_used_up(&Errno::CONNRESET.into()));
    }
}

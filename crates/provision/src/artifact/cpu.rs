//! Whether this machine's processor can do what a binary says it needs.

use super::archive::{self, BOOTSTRAP};
use super::elf::Asks;
use crate::error::{Error, Result};

/// Refuses to run a package's `bootstrap` where it would end with an illegal instruction.
///
/// # Errors
/// Its note of the level of x86-64 that it needs names more than this processor has.
pub fn check_here(name: &str, zip: &[u8]) -> Result<()> {
    let running = format!("running {name} here");
    let entries = archive::entries(&running, zip, |file| file == BOOTSTRAP)?;
    let needed = entries.iter().find(|entry| entry.name == BOOTSTRAP);
    let needed = needed.and_then(|entry| Asks::of(&entry.bytes).ok()?.x86_64_level);
    enough(&running, needed, level_here())
}

fn enough(running: &str, needed: Option<u32>, here: u32) -> Result<()> {
    match needed {
        Some(needed) if needed > here => {
            let why = format!("it needs a processor of level x86-64-v{needed}, and this one's is x86-64-v{here}");
            Err(Error::new(running, why)
                .hint("Lambda's has v3; run this elsewhere, or build it with a lower target-cpu"))
        }
        _ => Ok(()),
    }
}

/// <https://gitlab.com/x86-psABIs/x86-64-ABI>, "micro-architecture levels".
#[cfg(target_arch = "x86_64")]
fn level_here() -> u32 {
    macro_rules! all {
        ($($feature:tt)*) => { true $(&& std::arch::is_x86_feature_detected!($feature))* };
    }
    let v2 = all!("cmpxchg16b" "popcnt" "sse3" "ssse3" "sse4.1" "sse4.2");
    let v3 = v2 && all!("avx" "avx2" "bmi1" "bmi2" "f16c" "fma" "lzcnt" "movbe" "xsave");
    let v4 = v3 && all!("avx512f" "avx512bw" "avx512cd" "avx512dq" "avx512vl");
    match (v2, v3, v4) {
        (_, _, true) => 4,
        (_, true, _) => 3,
        (true, _, _) => 2,
        _ => 1,
    }
}

/// Another architecture's binary says nothing of it.
#[cfg(not(target_arch = "x86_64"))]
fn level_here() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_processor_has_is_refused() {
        for (needed, here) in [(None, 1), (Some(1), 1), (Some(3), 3), (Some(3), 4)] {
            assert!(enough("running f here", needed, here).is_ok(), "{needed:?} on {here}");
        }
        let error = enough("running f here", Some(3), 2).expect_err("it is more");
        let told = "running f here: it needs a processor of level x86-64-v3, and this one's is x86-64-v2";
        assert_eq!(error.to_string(), told);
    }
}

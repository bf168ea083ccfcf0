//! The programs of this machine that stand in for Lambda's runtimes.

use tokio::process::Command;

/// A program, and the beginning of the names of the runtimes that it stands in for.
#[derive(Debug, PartialEq, Eq)]
pub struct Interpreter {
    pub program: &'static str,
    pub family: &'static str,
}

pub const INTERPRETERS: [Interpreter; 2] =
    [Interpreter { program: "python3", family: "python" }, Interpreter { program: "node", family: "nodejs" }];

impl Interpreter {
    pub fn of(runtime: &str) -> Option<&'static Interpreter> {
        INTERPRETERS.iter().find(|interpreter| runtime.starts_with(interpreter.family))
    }

    /// Its version, such as `3.13.7`. `None` if it cannot be run.
    pub async fn version(&self) -> Option<String> {
        let output = Command::new(self.program).arg("--version").output().await.ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = text.lines().next().unwrap_or_default().trim_start_matches("Python ").trim_start_matches('v');
        output.status.success().then(|| version.to_owned())
    }

    /// The version in a runtime's name: `3.13` of `python3.13`, and `22` of `nodejs22.x`.
    pub fn wanted<'a>(&self, runtime: &'a str) -> &'a str {
        runtime.trim_start_matches(self.family).trim_end_matches(".x")
    }

    pub fn is_for(&self, version: &str, runtime: &str) -> bool {
        let wanted = self.wanted(runtime);
        version == wanted || version.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('.'))
    }
}

/// The warning that functions of this runtime run here with another version. `None` if it is the same, or there is none.
pub async fn other_version(runtime: &str) -> Option<String> {
    let interpreter = Interpreter::of(runtime)?;
    let version = interpreter.version().await?;
    let program = interpreter.program;
    let differs = || format!("{runtime} functions run here with {program} {version}; results may differ from AWS");
    (!interpreter.is_for(&version, runtime)).then(differs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_compared_part_by_part_with_the_runtimes() {
        for (runtime, version, expected) in [
            ("python3.13", "3.13.7", true),
            ("python3.13", "3.1.3", false),
            ("python3.1", "3.13.7", false),
            ("nodejs22.x", "22.1.0", true),
            ("nodejs22.x", "2.22.0", false),
        ] {
            let interpreter = Interpreter::of(runtime).expect("it has one");
            assert_eq!(interpreter.is_for(version, runtime), expected, "{runtime} {version}");
        }
        assert_eq!(Interpreter::of("provided.al2023"), None);
    }
}

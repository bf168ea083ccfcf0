//! The runtimes that a function may be created with. <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html>

/// As the service itself lists them in its refusal, in its order.
pub const RUNTIMES: &[&str] = &[
    "nodejs20.x",
    "python3.14",
    "provided.al2023",
    "python3.12",
    "python3.13",
    "nodejs24.x",
    "nodejs22.x",
    "java25",
    "python3.10",
    "python3.11",
    "java21",
    "ruby3.3",
    "ruby3.4",
    "ruby3.2",
    "python3.8",
    "python3.9",
    "java17",
    "nodejs16.x",
    "dotnet10",
    "dotnet8",
    "java11",
    "dotnet6",
    "nodejs18.x",
    "provided.al2",
    "java8.al2",
];

/// Runtimes with which nothing can be created any more.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html#runtimes-deprecated>
pub const GONE: &[&str] = &[
    "dotnet5.0",
    "dotnet6",
    "dotnet7",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "go1.x",
    "java8",
    "nodejs",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "nodejs16.x",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "provided",
    "provided.al2",
    "python2.7",
    "python3.6",
    "python3.7",
    "python3.8",
    "ruby2.5",
    "ruby2.7",
];

/// Whether Lambda creates no function with this runtime any more.
pub fn is_gone(runtime: &str) -> bool {
    GONE.contains(&runtime)
}

/// Whether Lambda lists the runtime in its refusals. It lists some that are gone, too.
pub fn is_listed(runtime: &str) -> bool {
    RUNTIMES.contains(&runtime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_may_be_gone_and_what_is_new_is_not() {
        for (name, listed, gone) in [
            ("provided.al2023", true, false),
            ("python3.14", true, false),
            ("provided.al2", true, true),
            ("go1.x", false, true),
            ("python9.9", false, false),
        ] {
            assert_eq!((is_listed(name), is_gone(name)), (listed, gone), "{name}");
        }
    }
}

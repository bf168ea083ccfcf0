//! Reads a request's members into a type. A test listens to what is read, and so finds members that nobody reads.

#[cfg(not(test))]
pub fn read<'de, I, D>(input: D) -> Result<I, D::Error>
where
    I: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    I::deserialize(input)
}

#[cfg(test)]
pub use listening::{asked, is_heard, listen, read};

#[cfg(test)]
mod listening {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use serde::{Deserialize, Deserializer};

    thread_local! {
        static HEARD: RefCell<Option<Heard>> = const { RefCell::new(None) };
    }

    /// The members that were read while somebody listened.
    #[derive(Debug, Default)]
    pub struct Heard {
        /// How many types read the JSON input.
        pub reads: usize,
        /// Did one of them not take a value of it?
        pub failed: bool,
        /// Parameters of a form that were asked for.
        pub asked: BTreeSet<String>,
    }

    /// Notes what is read while this runs. The checks of the service models are off meanwhile, because they would refuse most
    /// inputs that have every member.
    pub fn listen(run: impl FnOnce()) -> Heard {
        HEARD.set(Some(Heard::default()));
        run();
        HEARD.take().expect("nobody else takes it")
    }

    pub fn is_heard() -> bool {
        HEARD.with_borrow(Option::is_some)
    }

    /// As the other `read`.
    pub fn read<'de, I: Deserialize<'de>, D: Deserializer<'de>>(input: D) -> Result<I, D::Error> {
        let read = I::deserialize(input);
        hear(|heard| {
            heard.reads += 1;
            heard.failed |= read.is_err();
        });
        read
    }

    /// A parameter is asked for.
    pub fn asked(name: &str) {
        hear(|heard| {
            heard.asked.insert(name.to_owned());
        });
    }

    fn hear(what: impl FnOnce(&mut Heard)) {
        HEARD.with_borrow_mut(|heard| heard.as_mut().map(what));
    }
}

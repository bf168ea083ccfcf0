//! A stack that no query is too deep for, and steps, of which there are only so many for what repeats.

use std::cell::Cell;
use std::io;
use std::sync::LazyLock;

use jaq_core::data::HasLut;
use jaq_core::native::{self, Fun};
use jaq_core::{DataT, Error, Lut};
use jaq_json::Val;
use regex_lite::Regex;

/// So many for one record. Far more than a record's keys take, and few enough for the stack of a thread, on which each may stand.
const MOST_STEPS: u32 = 1_000;

/// Enough for a query of nothing but brackets, as the tests show. Of memory it takes only what is used.
pub const DEEP_STACK_BYTES: usize = 256 << 20;

/// Why work on a stack of its own was not done.
#[derive(Debug)]
pub enum Undone {
    /// The system gives no thread now.
    NoThread(io::Error),
    Panicked,
}

pub fn on_a_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Undone> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(DEEP_STACK_BYTES).spawn_scoped(scope, work);
        thread.map_err(Undone::NoThread)?.join().map_err(|_| Undone::Panicked)
    })
}

/// jq's own definitions that can repeat without end, each with a step in it.
pub const STEPPING: &str = "def native_range($from; $to; $by): range($from; $to; $by);
    def range($from; $to; $by): native_range($from; $to; $by) | if step then . else . end;
    def range($from; $to): range($from; $to; 1); def range($to): range(0; $to; 1);
    def repeat(f): def rec: if step then f, rec else . end; rec;
    def recurse(f): def rec: if step then ., (f | rec) else . end; rec;
    def recurse(f; cond): recurse(f | select(cond));
    def while(cond; update): def rec: if step and cond then ., (update | rec) else empty end; rec;
    def until(cond; update): def rec: if step and cond then . else update | rec end; rec;
    def combinations($n): [limit($n; repeat(.))] | combinations; ";

/// Whether the query has definitions of its own, with which it could repeat without a step.
pub fn defines(query: &str) -> bool {
    static DEFINITION: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(^|[^.$\w])def(\s|#[^\n]*\n)+[A-Za-z_]").expect("it is a regular expression"));
    DEFINITION.is_match(query)
}

/// True; an error once no step is left.
pub fn step() -> Fun<Bounded> {
    native::run(("step", native::v(0), |(context, _)| native::bome(context.data().step())))
}

/// The kind of data that queries run on.
pub struct Bounded;

impl DataT for Bounded {
    type V<'a> = Val;
    type Data<'a> = Left<'a>;
}

/// How many steps a run has taken.
#[derive(Default)]
pub struct Steps(Cell<u32>);

impl Steps {
    pub fn of<'a>(&'a self, lut: &'a Lut<Bounded>) -> Left<'a> {
        Left { lut, taken: &self.0 }
    }
}

/// The steps that a run has taken, and the functions that it can call.
#[derive(Clone)]
pub struct Left<'a> {
    lut: &'a Lut<Bounded>,
    taken: &'a Cell<u32>,
}

impl Left<'_> {
    fn step(&self) -> Result<Val, Error<Val>> {
        if self.taken.get() == MOST_STEPS {
            return Err(Error::str(format_args!("the query takes more than {MOST_STEPS} steps")));
        }
        self.taken.set(self.taken.get() + 1);
        Ok(Val::Bool(true))
    }
}

impl<'a> HasLut<'a, Bounded> for Left<'a> {
    fn lut(&self) -> &'a Lut<Bounded> {
        self.lut
    }
}

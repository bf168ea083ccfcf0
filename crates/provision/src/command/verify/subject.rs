//! One delivery stream under test, with its function.

use std::time::{Duration, Instant};

use crate::cloud::Cx;
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::producer::target::Target;
use crate::session::Session;
use crate::spec::stack::Stack;
use crate::surroundings::Surroundings;
use crate::transform::call::{self, Callee};
use crate::transform::event::Source;
use crate::transform::subject;
use crate::verify::account::{Account, Sent};
use crate::verify::cause;
use crate::verify::expect::{self, Asked};
use crate::verify::fed::Tested;
use crate::verify::identity::Identity;
use crate::verify::input::Input;
use crate::verify::objects::Objects;
use crate::verify::pipeline::Pipeline;
use crate::verify::placed::Placed;
use crate::verify::told::Verified;

/// A function that writes the time writes another one after so long.
const ANOTHER_SECOND: Duration = Duration::from_millis(1_100);

/// A delivery stream whose expected results are not computed yet.
pub struct Subject<'a> {
    tested: Tested<'a>,
    pipeline: Pipeline,
    function: Option<(Callee, Source)>,
    since_s: i64,
}

/// One whose outputs can be compared.
pub struct Identified<'a> {
    subject: Subject<'a>,
    identity: Identity,
    asked_twice: Option<Instant>,
}

/// One whose objects can be read.
pub struct Expecting<'a> {
    pub tested: Tested<'a>,
    pipeline: Pipeline,
    function: Option<(Callee, Source)>,
    pub account: Account,
    objects: Objects,
    since_s: i64,
    /// When the function was asked twice. `None` once that is not to be done again.
    asked_twice: Option<Instant>,
}

impl<'a> Subject<'a> {
    /// # Errors
    /// Its objects cannot be read, or its function cannot be run here.
    pub async fn new(
        session: &Session,
        stack: &Stack,
        tested: Tested<'a>,
        surroundings: Option<&Surroundings<'_>>,
        since_s: i64,
        events: &Events,
    ) -> Result<Subject<'a>> {
        let delivery = tested.delivery;
        if !Objects::can_be_read(delivery) {
            return Err(Error::msg("verify cannot read Snappy objects, only plain, GZIP and ZIP")
                .hint("change the compression of this delivery"));
        }
        let pipeline = Pipeline::of(delivery)?;
        let mut function = None;
        if let Some(transform) = &delivery.transform {
            let entry = stack.functions.get_key_value(&transform.function.logical);
            let managed = entry.and_then(|(logical, entry)| Some((logical, entry.managed()?)));
            let Some((logical, managed)) = managed else {
                let why =
                    format!("function {} cannot be run here: its code is not in this spec", transform.function.id);
                return Err(Error::msg(why).hint("run verify with the spec that has the function's code"));
            };
            let mut image = call::prepare(managed, logical, &session.cx).await?;
            if let Some(surroundings) = surroundings {
                image.environment = surroundings.of(&managed.desired, events).await;
            }
            let source = subject::source(stack, tested.name, delivery, &session.cx.names);
            function = Some((Callee::new(image), source));
        }
        Ok(Subject { tested, pipeline, function, since_s })
    }

    /// Finds out how its outputs can be compared, which some functions make impossible, before anything is sent.
    pub async fn identified(self, input: &Input, wanted: Option<&str>) -> Result<Identified<'a>> {
        let asked = self.function.as_ref().map(|(callee, source)| Asked { callee, source });
        let identity = expect::identity(&self.pipeline, asked.as_ref(), input, wanted).await?;
        let asked_twice = (self.function.is_some() && wanted.is_none()).then(Instant::now);
        Ok(Identified { subject: self, identity, asked_twice })
    }
}

impl<'a> Identified<'a> {
    /// Computes what is expected of these records.
    pub async fn expecting(self, input: &Input, events: &Events) -> Result<Expecting<'a>> {
        let Identified { subject: Subject { tested, pipeline, function, since_s }, identity, asked_twice } = self;
        let asked = function.as_ref().map(|(callee, source)| Asked { callee, source });
        let expected = expect::expected(&pipeline, asked.as_ref(), input, identity).await?;
        let name =
            tested.delivery.transform.as_ref().map(|transform| format!("function.{}", transform.function.logical));
        for why in &expected.failures {
            let text = format!(
                "{} fails whole batches: {why}; their records are expected under the error prefix of delivery {}",
                name.as_deref().unwrap_or_default(),
                tested.logical
            );
            events.say(Event::Warned { text });
        }
        if expected.count() > 0 && expected.failed.count() == expected.count() as usize {
            let text = format!(
                "delivery {} is expected to fail every record; send records that fit it with --records FILE",
                tested.logical
            );
            events.say(Event::Warned { text });
        }
        let objects = Objects::of(tested.delivery, tested.name, since_s);
        Ok(Expecting { tested, pipeline, function, account: Account::new(expected), objects, since_s, asked_twice })
    }
}

impl Expecting<'_> {
    /// Reads the objects that are new, one at a time.
    pub async fn read(&mut self, cx: &Cx, input: &Input, placed: &mut Placed) -> Result<()> {
        for listed in self.objects.new_ones(cx).await? {
            let (object, errors) = self.objects.read(cx, &listed).await?;
            let mut sent = Sent { pipeline: &self.pipeline, input, placed };
            let entered = match errors {
                Some(errors) => self.account.failed(&object, &errors, &mut sent),
                None => self.account.delivered(&object, &mut sent),
            };
            entered.map_err(|e| Error::new(format!("accounting for {}", object.key), e))?;
        }
        if self.account.awaited() > 0
            && self.account.strange > 0
            && self.account.expected.identity == Identity::Bytes
            && let Some(asked) = self.asked_twice.take()
        {
            self.ask_again(cx, input, placed, asked).await?;
        }
        Ok(())
    }

    /// The outputs are others than those that were computed: the function may write the time, which was the same when it was
    /// asked twice.
    async fn ask_again(&mut self, cx: &Cx, input: &Input, placed: &mut Placed, asked: Instant) -> Result<()> {
        let Some((callee, source)) = &self.function else { return Ok(()) };
        let function = Asked { callee, source };
        tokio::time::sleep(ANOTHER_SECOND.saturating_sub(asked.elapsed())).await;
        let first = expect::outputs(&self.pipeline, &function, input).await?;
        tokio::time::sleep(ANOTHER_SECOND).await;
        let second = expect::outputs(&self.pipeline, &function, input).await?;
        let identity = expect::compared(&function, &first, &second)?;
        if identity == Identity::Bytes {
            return Ok(());
        }
        let expected = expect::expected(&self.pipeline, Some(&function), input, identity).await?;
        self.account = Account::new(expected);
        self.objects = Objects::of(self.tested.delivery, self.tested.name, self.since_s);
        Box::pin(self.read(cx, input, placed)).await
    }

    /// The result so far.
    pub async fn verified(&mut self, cx: &Cx, into: &Target, placed: &mut Placed, since_s: i64) -> Result<Verified> {
        let drawing = |e| Error::new("drawing up the account", e);
        let (counts, missing) = self.account.counts().map_err(drawing)?;
        let shards = self.account.shards(placed).map_err(drawing)?;
        let account = &self.account;
        let stored = account.objects.iter().map(|object| object.stored_s);
        let time = |at: i64| jiff::Timestamp::from_second(at).ok().map(|at| at.to_string());
        Ok(Verified {
            delivery: self.tested.logical.to_owned(),
            source: into.to_string(),
            function: self.function.as_ref().map(|(callee, _)| callee.image.name.clone()),
            bucket: self.objects.bucket().to_owned(),
            sent: account.expected.count() as usize,
            delivered: counts.delivered,
            dropped: counts.dropped,
            failed: counts.failed,
            missing: counts.missing,
            duplicated: account.duplicated,
            failed_unexpectedly: counts.failed_unexpectedly,
            out_of_order: account.out_of_order,
            missing_numbers: missing.told(),
            unknown: account.unknown,
            compared_by: account.expected.identity.told(),
            errors: account.errors.values().cloned().collect(),
            shards,
            latency: account.latencies.told(),
            objects: account.objects.iter().map(|object| object.key.clone()).collect(),
            object_details: account.objects.clone(),
            first: stored.clone().min().and_then(time),
            last: stored.max().and_then(time),
            accounted: counts.missing == 0 && counts.failed_unexpectedly == 0,
            hint: cause::cause(cx, &self.tested, account, &counts, since_s).await,
        })
    }

    /// Deletes the objects that contain only records of this run.
    pub async fn clean(&self, cx: &Cx) -> Result<()> {
        for key in &self.account.only_ours {
            self.objects.delete(cx, key).await?;
        }
        Ok(())
    }

    /// Ends the processes of the function.
    pub async fn close(self) {
        if let Some((callee, _)) = self.function {
            callee.close().await;
        }
    }
}

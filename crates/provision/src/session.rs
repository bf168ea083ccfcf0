//! Prepares a command: reads the spec, finds the target, and starts the emulator for `--local`.

use std::path::{Path, PathBuf};

use aws_config::SdkConfig;
use local_cloud::{Engine, Settings};

use crate::args::{CloudArgs, TargetArgs, Variables, refuse_useless};
use crate::cloud::identity::{self, Identity};
use crate::cloud::{self, Calls, Cx, Options};
use crate::error::{Error, Result};
use crate::event::{self, Event, Events};
use crate::exit::Stop;
use crate::names::Names;
use crate::secret;
use crate::serving::Serving;
use crate::spec::{self, TAG_PREFIX, stack::Stack};
use crate::workdir;

/// Everything that a command needs to start.
pub struct Session {
    pub cx: Cx,
    pub place: Place,
    /// `None` for commands that were given a name instead of a spec.
    pub stack: Option<Stack>,
}

/// The target of the calls.
#[derive(Clone)]
pub enum Place {
    Aws,
    /// AWS, except for services with an endpoint of their own, from `AWS_ENDPOINT_URL_<SERVICE>` or the profile.
    Mixed(Vec<(&'static str, String)>),
    /// `--endpoint`, or one that the AWS environment names.
    Endpoint(String),
    /// `provision local serve` runs on this repository's data.
    Serving(String),
    /// The emulator in this process.
    Within(Engine),
}

impl Place {
    /// The text that is shown to the user. `None` for AWS itself.
    pub fn describe(&self) -> Option<String> {
        match self {
            Place::Aws => None,
            Place::Mixed(services) => {
                let told = services.iter().map(|(service, url)| format!("{service} at {}", secret::shown_url(url)));
                Some(format!("AWS, except {}", told.collect::<Vec<_>>().join(", ")))
            }
            Place::Endpoint(url) => Some(secret::shown_url(url)),
            Place::Serving(url) => Some(format!("built-in emulator at {url}")),
            Place::Within(_) => Some("built-in emulator".into()),
        }
    }

    /// The URL that other programs can use.
    pub fn url(&self) -> Option<&str> {
        match self {
            Place::Endpoint(url) | Place::Serving(url) => Some(url),
            Place::Aws | Place::Mixed(_) | Place::Within(_) => None,
        }
    }

    async fn recognised(&self) -> Place {
        match self {
            Place::Endpoint(url) if crate::serving::is_ours(url).await => {
                Place::Serving(url.trim_end_matches('/').to_owned())
            }
            other => other.clone(),
        }
    }

    /// Whether it is our emulator, which has the control API.
    pub fn is_local(&self) -> bool {
        matches!(self, Place::Serving(_) | Place::Within(_))
    }
}

/// Reads the spec and connects to its target.
pub async fn open(
    path: Option<&Path>,
    target: &TargetArgs,
    options: Options,
    events: &Events,
) -> Result<Session, Stop> {
    let (stack, work_dir) = load(path, &target.variables, events)?;
    open_loaded(stack, work_dir, target, options, events).await
}

/// The same, for a spec that was already read.
pub async fn open_loaded(
    stack: Stack,
    work_dir: PathBuf,
    target: &TargetArgs,
    options: Options,
    events: &Events,
) -> Result<Session, Stop> {
    let names = |account, region| names_of(&stack, account, region);
    let wanted = stack.target.clone();
    let (cx, place) =
        reach(&target.cloud, wanted.region.as_deref(), wanted.account.as_deref(), &work_dir, names, events).await?;
    let stack = stack.at(&cx.names.account, &cx.names.region)?;
    session(cx, place, Some(stack), work_dir, options).await
}

/// The same at an engine of ours that serves a port.
pub async fn open_serving(
    stack: Stack,
    work_dir: PathBuf,
    region: Option<&str>,
    serving: Serving,
    options: Options,
) -> Result<Session, Stop> {
    let region = cloud::chosen_region(region, stack.target.region.as_deref())?.unwrap_or("us-east-1").to_owned();
    let stack = stack.at(&serving.account, &region)?;
    let sdk = cloud::local_port(&serving.url, &region);
    let cx = Cx::new(sdk, names_of(&stack, serving.account, region));
    session(cx, Place::Serving(serving.url), Some(stack), work_dir, options).await
}

fn names_of(stack: &Stack, account: String, region: String) -> Names {
    Names {
        stack: stack.name.clone(),
        env: stack.env.clone(),
        account,
        region,
        tag_prefix: stack.tag_prefix.clone(),
        iam_path: stack.iam.path.clone(),
    }
}

/// Reaches the target of a stack of which only the names are known.
pub async fn open_named(
    stack: &str,
    env: Option<&str>,
    cloud: &CloudArgs,
    options: Options,
    events: &Events,
) -> Result<Session, Stop> {
    let work_dir = work_dir(&current_dir()?);
    let names = |account, region| Names {
        stack: stack.to_owned(),
        env: env.map(str::to_owned),
        account,
        region,
        tag_prefix: TAG_PREFIX.into(),
        iam_path: "/".into(),
    };
    let (cx, place) = reach(cloud, None, None, &work_dir, names, events).await?;
    session(cx, place, None, work_dir, options).await
}

/// Removes secrets from options that others may read.
fn masked(mut options: Options) -> Options {
    let job = &mut options.job;
    for text in [&mut options.owner, &mut job.user, &mut job.host, &mut job.url] {
        *text = text.take().map(|text| secret::masked(&text));
    }
    options
}

async fn session(
    cx: Cx,
    place: Place,
    stack: Option<Stack>,
    work_dir: PathBuf,
    options: Options,
) -> Result<Session, Stop> {
    let options = Options { work_dir, runs_here: place.is_local(), ..masked(options) };
    let cx = Cx { options, ..cx };
    if !cx.options.confirms_late {
        cx.identity.confirm().await?;
    }
    Ok(Session { cx, place, stack })
}

/// Opens a session for a spec, or for the name of a stack.
pub async fn of(
    path: Option<&Path>,
    stack: Option<&str>,
    target: &TargetArgs,
    options: Options,
    events: &Events,
) -> Result<Session, Stop> {
    match stack {
        Some(stack) => {
            let useless = [("--set", !target.variables.set.is_empty())];
            refuse_useless(&useless, "with --stack, no spec is read")?;
            open_named(stack, target.variables.env()?.as_deref(), &target.cloud, options, events).await
        }
        None => open(path, target, options, events).await,
    }
}

/// Reads the spec. Warnings are reported; errors stop the command.
pub fn load(path: Option<&Path>, variables: &Variables, events: &Events) -> Result<(Stack, PathBuf), Stop> {
    let cwd = current_dir()?;
    let path = spec::find(path, &cwd)?;
    let loaded = spec::load(&path, &variables.options()?)?;
    secret::keep(&loaded.secrets);
    if !loaded.warnings.is_empty() {
        events.say(Event::SpecWarned { warnings: loaded.warnings });
    }
    let folder = cwd.join(&path).parent().map(Path::to_path_buf).unwrap_or(cwd);
    Ok((loaded.stack, work_dir(&folder)))
}

impl Session {
    /// Reports the stack, account and region, before anything changes.
    pub fn announce(&self, events: &Events) {
        announce(&self.cx, &self.place, events);
    }

    /// An engine of ours behind `--endpoint` is one whose control API is there.
    pub async fn recognise(&mut self) {
        self.place = self.place.recognised().await;
    }

    /// The same target for a command that says `--endpoint` in what it prints.
    pub async fn recognised(&self) -> Session {
        Session { cx: self.cx.clone(), place: self.place.recognised().await, stack: None }
    }

    /// Reports the calls that were made and stops the emulator in this process. Its data is kept for the next command.
    pub async fn close(self, events: &Events) {
        event::tell_calls(&self.cx, events);
        if let Place::Within(engine) = &self.place {
            engine.close().await;
        }
    }
}

/// Reports the stack, account and region.
pub fn announce(cx: &Cx, place: &Place, events: &Events) {
    let Names { stack, env, account, region, .. } = (*cx.names).clone();
    events.say(Event::Target { stack, env, account, region, endpoint: place.describe() });
}

async fn reach(
    target: &CloudArgs,
    region: Option<&str>,
    account: Option<&str>,
    work_dir: &Path,
    names: impl FnOnce(String, String) -> Names,
    events: &Events,
) -> Result<(Cx, Place), Stop> {
    if target.local {
        return Ok(local(target, region, account, work_dir, names, events).await?);
    }
    let sdk = cloud::connect(&target.target(), region).await?;
    let calls = Calls::default();
    let (account, sdk, identity) = whose(account, sdk, &calls).await?;
    let place = match sdk.endpoint_url() {
        Some(url) => Place::Endpoint(url.to_owned()),
        None => match cloud::own_endpoints(&sdk) {
            services if services.is_empty() => Place::Aws,
            services => Place::Mixed(services),
        },
    };
    let region = sdk.region().expect("connect refuses to go on without a region").to_string();
    let cx = Cx::counting(sdk, names(account, region), calls);
    Ok((Cx { identity, ..cx }, place))
}

/// The account from the spec or the credentials, which STS confirms later. Without either, the account from STS.
async fn whose(wanted: Option<&str>, sdk: SdkConfig, calls: &Calls) -> Result<(String, SdkConfig, Identity)> {
    let (stated, sdk) = identity::stated(sdk).await;
    match wanted.map(str::to_owned).or(stated) {
        Some(account) => {
            let identity = Identity::assumed(&account, &sdk, calls);
            Ok((account, sdk, identity))
        }
        None => Ok((cloud::account(&sdk, calls).await?.account, sdk, Identity::default())),
    }
}

async fn local(
    target: &CloudArgs,
    region: Option<&str>,
    account: Option<&str>,
    work_dir: &Path,
    names: impl FnOnce(String, String) -> Names,
    events: &Events,
) -> Result<(Cx, Place)> {
    let region = cloud::chosen_region(target.region.as_deref(), region)?.unwrap_or("us-east-1").to_owned();
    let data_dir = data_dir(work_dir);
    if let Some(serving) = crate::serving::running(&data_dir).await {
        account.map_or(Ok(()), |wanted| identity::refuse_other(wanted, &serving.account))?;
        let sdk = cloud::local_port(&serving.url, &region);
        return Ok((Cx::new(sdk, names(serving.account, region)), Place::Serving(serving.url)));
    }
    workdir::make(work_dir).map_err(|e| Error::new(format!("making {}", work_dir.display()), e))?;
    let mut settings = Settings { data_dir: Some(data_dir), ..Settings::default() };
    if let Some(account) = account {
        settings.account = account.to_owned();
    }
    let account = settings.account.clone();
    let engine = Engine::start(settings).await.map_err(|e| Error::new("starting the emulator", e))?;
    warn_of_damage(&engine, events);
    let sdk = cloud::within(engine.http_client(), &region);
    Ok((Cx::new(sdk, names(account, region)), Place::Within(engine)))
}

/// Warns about damage that an emulator found in its data folder.
pub fn warn_of_damage(engine: &Engine, events: &Events) {
    for damage in engine.damage() {
        events.say(Event::Warned { text: format!("the emulator's data is damaged: {damage}") });
    }
}

/// The data folder of the emulator.
pub fn data_dir(work_dir: &Path) -> PathBuf {
    work_dir.join("local")
}

/// `.provision` beside the root of the repository that holds `folder`, or in `folder` itself where there is none.
pub fn work_dir(folder: &Path) -> PathBuf {
    folder.ancestors().find(|parent| parent.join(".git").exists()).unwrap_or(folder).join(".provision")
}

pub fn current_dir() -> Result<PathBuf> {
    std::env::current_dir().map_err(|e| Error::new("finding the current folder", e))
}

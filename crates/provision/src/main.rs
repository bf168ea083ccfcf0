//! Parse, run, exit.

use clap::{CommandFactory, Parser};
use provision::args::refuse_useless;
use provision::cli::{Cli, Command};
use provision::command;
use provision::event::{Event, Events};
use provision::exit::{Exit, Stop};
use provision::interrupt::Interrupt;
use provision::report::{self, Output, Printed};
use provision::secret;

fn main() {
    local_cloud::enter();
    secret::keep_what_was_given();
    report::mask_panics();
    let cli = Cli::try_parse().unwrap_or_else(|error| {
        let said = secret::masked(&error.render().ansi().to_string());
        match error.use_stderr() {
            true => anstream::eprint!("{said}"),
            false => anstream::print!("{said}"),
        }
        std::process::exit(if error.use_stderr() { Exit::Usage.code() } else { 0 });
    });
    let runtime = tokio::runtime::Runtime::new().expect("the system gives threads");
    let code = runtime.block_on(run(cli)).code();
    runtime.shutdown_background();
    std::process::exit(code);
}

async fn run(cli: Cli) -> Exit {
    report::warnings_to_stderr();
    let events = match cli.command {
        // Standard output is the command's.
        Command::With(_) => report::to_stderr(cli.output, cli.detail()),
        // And here it is for records, logs or the result, where they are not events themselves.
        Command::Tail(_) | Command::Cat(_) | Command::Logs(_) | Command::DiffData(_) if cli.output == Output::Human => {
            report::to_stderr(cli.output, cli.detail())
        }
        _ => report::to_stdout(cli.output, cli.detail()),
    };
    let misused = |message: String| events.say(Event::Error { message, hint: None });
    let json = cli.output == Output::Json;
    let useless = [("--quiet", cli.quiet && json), ("--verbose", cli.verbose && json)];
    if let Err(Stop::Usage(wrong)) = refuse_useless(&useless, "--output json has everything") {
        misused(wrong);
        return Exit::Usage;
    }
    let ended = command(cli.command, cli.output, &events).await;
    events.end();
    match ended {
        Ok(exit) => exit,
        Err(Stop::Said(exit)) => exit,
        Err(Stop::Spec(wrong)) => {
            match cli.output {
                Output::Human => {
                    anstream::eprintln!("{}", secret::masked(wrong.render(true).trim_end()));
                    report::github::annotate(&wrong);
                }
                Output::Json => events.say(Event::Wrong { mistakes: wrong }),
            }
            Exit::Spec
        }
        Err(Stop::Usage(wrong)) => {
            misused(wrong);
            Exit::Usage
        }
        Err(Stop::Errors(errors)) => {
            for error in &errors {
                events.say(Event::from(error));
            }
            Exit::Failed
        }
    }
}

/// The words at the first signal: how the command stops.
fn at_first_signal(command: &Command) -> &'static str {
    match command {
        Command::With(_) => {
            "stopping the command and deleting the environment; send the signal again to quit now and keep it"
        }
        Command::Up(_) | Command::Down(_) | Command::Gc(_) => {
            "stopping: running steps have 5 s to finish; press Ctrl-C again to quit now"
        }
        Command::Put(_) => "stopping: nothing more is put",
        Command::Replay(args) if args.through_source => {
            "stopping: waiting up to 4 s for requests under way, and noting what they have put"
        }
        Command::Replay(_) => "stopping: run replay again to replay the rest",
        Command::Verify(_) => "stopping: the records that were sent stay where they are",
        Command::Tail(_) | Command::Cat(_) | Command::Logs(_) => "stopping",
        Command::Plan(_) | Command::Status(_) | Command::List(_) => "stopping: this command changes nothing",
        Command::DiffData(_) | Command::Invoke(_) | Command::TestTransform(_) => "stopping the function",
        Command::Local(_) => "stopping the emulator; press Ctrl-C again to quit now",
        // These are short, and do not ask whether a signal came.
        Command::Flush(_)
        | Command::Outputs(_)
        | Command::History(_)
        | Command::Doctor(_)
        | Command::Permissions(_)
        | Command::Validate(_)
        | Command::Render(_)
        | Command::Schema(_)
        | Command::Init(_)
        | Command::Completions { .. } => "this command ends by itself; press Ctrl-C again to quit now",
    }
}

async fn command(command: Command, output: Output, events: &Events) -> Result<Exit, Stop> {
    let print = |(printed, exit): (Printed, Exit)| {
        report::print(printed, output, events);
        exit
    };
    let said = |(text, exit): (String, Exit)| print((Printed::said(text), exit));
    let for_signals = events.clone();
    let interrupt = Interrupt::listen(at_first_signal(&command), move || for_signals.make_room())
        .expect("a process may listen for its signals");
    match command {
        Command::Plan(args) => command::plan::run(args, events, interrupt).await,
        Command::Up(args) => command::up::up(args, events, interrupt).await,
        Command::Down(args) => command::down::run(args, events, interrupt).await,
        Command::With(args) => command::with::run(args, events, interrupt).await,
        Command::Put(args) => command::put::run(args, events, interrupt).await,
        Command::Replay(args) => command::replay::run(args, events, interrupt).await,
        Command::Cat(args) => command::cat::run(args, output, events, interrupt).await,
        Command::Tail(args) => command::tail::run(args, output, events, interrupt).await,
        Command::Logs(args) => command::logs::run(args, output, events, interrupt).await,
        Command::Flush(args) => command::flush::run(args, events).await,
        Command::Verify(args) => command::verify::run(args, events, interrupt).await,
        Command::DiffData(args) => command::diff_data::run(args, output, events, interrupt).await,
        Command::Invoke(args) => command::invoke::run(args, events, interrupt).await,
        Command::TestTransform(args) => command::test_transform::run(args, events, interrupt).await,
        Command::Status(args) => command::status::run(args, events, interrupt).await,
        Command::Outputs(args) => command::outputs::run(args, output, events).await.map(print),
        Command::History(args) => command::history::run(args, events).await,
        Command::List(args) => command::list::list(args, events, interrupt).await,
        Command::Gc(args) => command::gc::gc(args, events, interrupt).await,
        Command::Local(args) => command::local::run(args, events, interrupt).await,
        Command::Doctor(args) => command::doctor::run(args, events).await,
        Command::Permissions(args) => command::permissions::run(args).map(said),
        Command::Validate(args) => command::validate::run(args, events),
        Command::Render(args) => command::render::run(args).map(print),
        Command::Schema(args) => Ok(print(command::schema::run(args))),
        Command::Init(args) => Ok(said(command::init::run(args, events)?)),
        Command::Completions { shell } => {
            refuse_useless(&[("--output json", output == Output::Json)], "completions are a script of the shell")?;
            clap_complete::generate(shell, &mut Cli::command(), "provision", &mut std::io::stdout());
            Ok(Exit::Done)
        }
    }
}

//! `permissions`: prints the IAM policy that is needed to run this program. Makes no AWS call.

use std::path::PathBuf;

use aws_facts::iam::{MAX_ATTACHED_POLICIES, MAX_MANAGED_POLICY};
use serde_json::Value;

use crate::args::{Variables, refuse_useless};
use crate::cloud;
use crate::error::{Error, Result};
use crate::exit::{Exit, Stop};
use crate::names::Names;
use crate::permissions::format::{policies, statements, table, terraform};
use crate::permissions::trust::Trusted;
use crate::permissions::{Purpose, Subject, any_stack, needs, of_stack, subject};
use crate::report;
use crate::secret;
use crate::session;
use crate::spec::{self, TAG_PREFIX, stack::Stack};

#[derive(Debug, clap::Args)]
pub struct PermissionsArgs {
    /// The spec; without it the policy is for any stack
    pub spec: Option<PathBuf>,
    #[command(flatten)]
    pub variables: Variables,
    /// AWS region, where the spec names none; any where nothing does
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// AWS account, where the spec names none; any where nothing does
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// The command that is to be allowed
    #[arg(long = "for", value_enum, default_value_t, conflicts_with = "trust")]
    pub purpose: Purpose,
    /// Output format of the policy
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Print the trust policy of the role instead: for github:OWNER/REPO or gitlab:GROUP/PROJECT, with :BRANCH or :refs/tags/TAG
    /// after it; GitHub also takes :pull_request and :environment:NAME
    #[arg(long, value_name = "WHO")]
    pub trust: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A policy document, in JSON; a list of them where it is too long for a managed policy
    #[default]
    Policy,
    /// A data source of the AWS provider, or several
    Terraform,
    /// For people, by resource
    Table,
}

/// Returns the text for standard output, unformatted because other programs read it.
pub fn run(args: PermissionsArgs) -> Result<(String, Exit), Stop> {
    refuse_what_does_nothing(&args)?;
    let stack = args.spec.as_ref().map(|_| load(&args)).transpose()?;
    let names = named(&args, stack.as_ref())?;
    if let Some(who) = &args.trust {
        return Ok((trust(who, &args, &names)?, Exit::Done));
    }
    let stack = stack.map(|stack| stack.at(&subject::as_name(&names.account), &subject::as_name(&names.region)));
    let subjects: Vec<Subject> = stack.transpose()?.map_or_else(|| any_stack(&names), |stack| of_stack(&stack, &names));
    let needs = needs(&subjects, &names, args.purpose);
    let policies = policies(&statements(&needs));
    let text = match (args.format, policies.as_slice()) {
        (Format::Policy, [whole]) => format!("{whole:#}\n"),
        (Format::Policy, parts) => format!("{:#}\n", Value::from(parts)),
        (Format::Terraform, [whole]) => terraform("provision", whole),
        (Format::Terraform, parts) => {
            let named = (1..).zip(parts).map(|(number, part)| terraform(&format!("provision_{number}"), part));
            named.collect::<Vec<_>>().join("\n")
        }
        (Format::Table, _) => table(&needs),
    };
    if args.format != Format::Table {
        tell_of_parts(policies.len());
    }
    Ok((text, Exit::Done))
}

fn refuse_what_does_nothing(args: &PermissionsArgs) -> Result<(), Stop> {
    let (env, set) = (args.variables.env.is_some(), !args.variables.set.is_empty());
    if args.spec.is_none() {
        refuse_useless(
            &[("--env", env), ("--set", set)],
            "without a spec, the policy is for any stack and environment",
        )?;
    }
    let table = args.trust.is_some() && args.format == Format::Table;
    refuse_useless(&[("--format table", table)], "a trust policy has no table")
}

/// Loads the spec. The name of the environment may contain `*`, which stands for any text.
fn load(args: &PermissionsArgs) -> Result<Stack, Stop> {
    let path = spec::find(args.spec.as_deref(), &session::current_dir()?)?;
    let pattern = args.variables.env.as_ref().filter(|env| env.contains('*'));
    let options = match pattern {
        None => args.variables.options()?,
        Some(pattern) => {
            let named = Variables { env: Some(subject::as_name(pattern)), ..args.variables.clone() };
            named.options()?
        }
    };
    let loaded = spec::load(&path, &options)?;
    secret::keep(&loaded.secrets);
    Ok(loaded.stack)
}

/// Account, region and names of the stack. `*` stands for what is not known.
fn named(args: &PermissionsArgs, stack: Option<&Stack>) -> Result<Names> {
    let any = || "*".to_owned();
    let target = stack.map(|stack| stack.target.clone()).unwrap_or_default();
    let region = cloud::chosen_region(args.region.as_deref(), target.region.as_deref())?.map(str::to_owned);
    let account = match (&args.account, &target.account) {
        (Some(flag), Some(spec)) if flag != spec => {
            return Err(Error::msg(format!("--account {flag} differs from the account in the spec, {spec}"))
                .hint("leave out --account, or change target.account in the spec"));
        }
        (flag, spec) => flag.clone().or(spec.clone()),
    };
    Ok(Names {
        stack: stack.map_or_else(any, |stack| stack.name.clone()),
        env: stack.map_or_else(|| Some(any()), |stack| stack.env.clone()),
        account: account.unwrap_or_else(any),
        region: region.unwrap_or_else(any),
        tag_prefix: stack.map_or(TAG_PREFIX, |stack| &stack.tag_prefix).to_owned(),
        iam_path: stack.map_or("/", |stack| &stack.iam.path).to_owned(),
    })
}

fn trust(who: &str, args: &PermissionsArgs, names: &Names) -> Result<String> {
    let trusted = Trusted::parse(who)?;
    if names.account == "*" {
        return Err(Error::msg("--trust: the account is not known, and the identity provider's ARN needs it")
            .hint("pass --account, or write target: { account: ... } into the spec"));
    }
    let document = trusted.document(names);
    let text = match args.format {
        Format::Policy => format!("{document:#}\n"),
        Format::Terraform => terraform("provision_trust", &document),
        Format::Table => unreachable!("it was refused"),
    };
    trusted.caution().into_iter().for_each(report::warning);
    Ok(text)
}

fn tell_of_parts(count: usize) {
    if count == 1 {
        return;
    }
    let more = match count > MAX_ATTACHED_POLICIES {
        true => format!(
            ", and a role takes {MAX_ATTACHED_POLICIES} unless more are asked for in Service Quotas; an environment (--env), one \
                         command (--for) or a shorter spec needs less"
        ),
        false => String::new(),
    };
    report::warning(&format!(
        "this is too long for one managed policy of {MAX_MANAGED_POLICY} characters, so {count} policies were printed{more}"
    ));
}

//! The section `functions`.

use std::collections::BTreeMap;
use std::path::Path;

use aws_facts::lambda::{
    FUNCTION_NAME, MAX_ENVIRONMENT_BYTES, MAX_SECURITY_GROUPS, MAX_SUBNETS, RESERVED_VARIABLES, VARIABLE_NAME,
    environment_bytes, runtimes,
};

use super::{Architecture, Code, Function, LogFormat, LogRef, Vpc};
use crate::names::Names;
use crate::resource::bucket::{Bucket, BucketName};
use crate::resource::log_group::section::GroupFields;
use crate::resource::role::{RoleRef, Statement};
use crate::resource::{log_group, role};
use crate::section::{Lower, Section};
use crate::yaml::collection::{Anything, Map};
use crate::yaml::diagnostic::Span;
use crate::yaml::scalar::{Size, Text, Time, matches};
use crate::yaml::shape::{At, said};

mod fields;

use fields::*;

const PROVIDED: &str = "provided.";

impl Section for Function {
    type Fields = FunctionFields;
    type Name = FunctionName;
    type Id = FunctionId;
    const NOUN: &'static str = "a function";
    const NAME_MAX: usize = FUNCTION_NAME.max;

    fn read(lower: &mut Lower, key: &At<String>, name: &str, written: FunctionFields) -> Option<Function> {
        lower.need(&written, "code", written.code.is_some(), key.at, "one of crate, zip, dir, s3");
        let code = written.code.as_ref().and_then(|code| read_code(lower, code));
        check_runtime(lower, &written, code.as_ref());
        let handler = read_handler(lower, key, &written);
        let log = written.log.clone().unwrap_or_default().value;
        if let Some(layers) = written.layers.as_ref().filter(|layers| layers.value.len() > 5) {
            lower.error(layers.at, format!("{} layers are too many", layers.value.len()), "at most 5");
        }
        let function = Function {
            runtime: written.runtime().0,
            handler: handler.unwrap_or_default(),
            architecture: architecture(&written, code.as_ref()),
            memory_mib: written.memory().0,
            timeout_s: written.timeout().0,
            ephemeral_storage_mib: written.ephemeral_storage().0,
            description: written.description().0,
            environment: written.environment.as_ref().map(|env| read_variables(lower, env)).unwrap_or_default(),
            layers: written.layers.iter().flat_map(|layers| &layers.value).map(|arn| arn.value.0.clone()).collect(),
            vpc: written.vpc.as_ref().and_then(|vpc| read_vpc(lower, vpc)),
            publish: written.publish() || written.alias.is_some(),
            alias: written.alias.as_ref().map(|alias| alias.value.0.clone()),
            allow: read_statements(lower, &written),
            role: role::section::read(lower, written.role.as_ref(), RoleRef::of_function(&key.value, name)),
            log_format: read_log_format(lower, &log),
            log: log_group::section::read(lower, &log.group()),
            code: code?,
        };
        Some(function)
    }

    fn fields(&self) -> FunctionFields {
        let arns = self.layers.iter().filter_map(|arn| said(LayerArn(arn.clone())));
        let environment = self.environment.iter().map(|(name, value)| (name.clone(), Text(value.clone())));
        FunctionFields {
            code: said(written_code(&self.code)),
            runtime: said(Runtime(self.runtime.clone())),
            handler: said(Handler(self.handler.clone())),
            memory: said(Size(self.memory_mib)),
            timeout: said(Time(self.timeout_s)),
            ephemeral_storage: said(Size(self.ephemeral_storage_mib)),
            architecture: said(self.architecture),
            environment: said(Map::of(environment)).filter(|_| !self.environment.is_empty()),
            layers: said(arns.collect()),
            vpc: self.vpc.as_ref().and_then(|vpc| said(written_vpc(vpc))),
            description: said(Text(self.description.clone())),
            publish: said(self.publish),
            alias: self.alias.as_ref().and_then(|alias| said(Alias(alias.clone()))),
            allow: said(self.allow.iter().filter_map(|allow| said(written_statement(allow))).collect())
                .filter(|_| !self.allow.is_empty()),
            role: role::section::fields(&self.role),
            log: written_log(self),
            ..FunctionFields::default()
        }
    }

    fn arn(name: &str, names: &Names) -> String {
        names.function_arn(name)
    }
}

/// Levels are for JSON only. <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>
fn read_log_format(lower: &mut Lower, log: &LogFields) -> LogFormat {
    if log.format() == Format::Json {
        return LogFormat::Json { application: log.application_level(), system: log.system_level().0 };
    }
    let levels = [
        ("application_level", log.application_level.as_ref().map(|level| level.at)),
        ("system_level", log.system_level.as_ref().map(|level| level.at)),
    ];
    for (key, at) in levels.into_iter().filter_map(|(key, at)| Some((key, at?))) {
        lower.error(at, format!("`{key}` has no effect on text"), "only with `format: json`");
    }
    LogFormat::Text
}

fn written_log(function: &Function) -> Option<At<LogFields>> {
    if (&function.log, function.log_format) == (&LogRef::DEFAULT, LogFormat::Text) {
        return None;
    }
    let GroupFields { name, retention, existing } = log_group::section::fields(&function.log);
    let group = LogFields { name, retention, existing, ..LogFields::default() };
    said(match function.log_format {
        LogFormat::Text => LogFields { format: said(Format::Text), ..group },
        LogFormat::Json { application, system } => LogFields {
            format: said(Format::Json),
            application_level: said(application),
            system_level: said(SystemLevel(system)),
            ..group
        },
    })
}

fn read_code(lower: &mut Lower, code: &At<CodeFields>) -> Option<Code> {
    let CodeFields { crate_, bin, zip, dir, s3, wrong } = &code.value;
    if let (None, Some(bin)) = (crate_, bin) {
        lower.error(bin.at, "`bin` names a binary of a crate", "only with `crate`");
    }
    // Without `..` in it, where it is there: people read it in the plan.
    let path = |text: &At<Text<1, 4096>>| {
        let joined = lower.folder.join(&text.value.0);
        joined.canonicalize().unwrap_or(joined)
    };
    match (crate_, zip, dir, s3) {
        (Some(krate), None, None, None) => {
            Some(Code::Crate { path: path(krate), bin: bin.as_ref().map(|bin| bin.value.0.clone()) })
        }
        (None, Some(zip), None, None) => Some(Code::Zip { path: path(zip) }),
        (None, None, Some(dir), None) => Some(Code::Dir { path: path(dir) }),
        (None, None, None, Some(object)) => {
            let object = &object.value;
            lower.need(object, "bucket", object.bucket.is_some(), code.at, "the bucket's name");
            lower.need(object, "key", object.key.is_some(), code.at, "the object's key");
            let (bucket, key) = (object.bucket.as_ref()?, object.key.as_ref()?);
            lower.check_name::<Bucket>(bucket.at, &bucket.value.0);
            let version = object.version.as_ref().map(|version| version.value.0.clone());
            Some(Code::S3 { bucket: bucket.value.0.clone(), key: key.value.0.clone(), version })
        }
        (None, None, None, None) => {
            if wrong.is_empty() {
                lower.error(code.at, "code from nowhere", "one of crate, zip, dir, s3");
            }
            None
        }
        _ => {
            lower.error(code.at, "code from several places", "only one of crate, zip, dir, s3");
            None
        }
    }
}

fn check_runtime(lower: &mut Lower, written: &FunctionFields, code: Option<&Code>) {
    let Some(runtime) = &written.runtime else { return };
    let name = runtime.value.0.as_str();
    if runtimes::is_gone(name) {
        let what = format!("AWS creates no function with `{name}` any more");
        let instead = if name.starts_with("provided") { "provided.al2023" } else { "a newer runtime" };
        lower.error(runtime.at, what, instead);
    } else if matches!(code, Some(Code::Crate { .. })) && !name.starts_with(PROVIDED) {
        lower.error(runtime.at, format!("a crate does not run on `{name}`"), "provided.al2023");
    } else if !runtimes::is_listed(name) {
        lower.warn(
            runtime.at,
            format!("`{name}` is no runtime that is known here"),
            "the built-in emulator refuses it",
        );
    }
}

fn read_handler(lower: &mut Lower, key: &At<String>, written: &FunctionFields) -> Option<String> {
    if let Some(handler) = &written.handler {
        return Some(handler.value.0.clone());
    }
    let runtime = written.runtime().0;
    if runtime.starts_with("provided") {
        return Some("bootstrap".to_owned());
    }
    lower.need(written, "handler", false, key.at, &format!("{runtime} calls one, such as app.handler"));
    None
}

fn read_variables(lower: &mut Lower, written: &At<Map<Text<0, MAX_ENVIRONMENT_BYTES>>>) -> BTreeMap<String, String> {
    for (name, _) in &written.value.pairs {
        if RESERVED_VARIABLES.contains(&name.value.as_str()) {
            lower.error(name.at, format!("Lambda sets `{}` itself", name.value), "another name");
        } else if !matches(VARIABLE_NAME, &name.value) {
            let expected = "at least two letters, digits or `_`, a letter first";
            lower.error(name.at, format!("`{}` is no name for a variable of Lambda's", name.value), expected);
        }
    }
    let pairs = written.value.pairs.iter().map(|(name, value)| (name.value.clone(), value.value.0.clone()));
    let variables: BTreeMap<String, String> = pairs.collect();
    let bytes = environment_bytes(&variables);
    if bytes > MAX_ENVIRONMENT_BYTES {
        let expected = format!("at most {MAX_ENVIRONMENT_BYTES} in all, as a JSON object");
        lower.error(written.at, format!("{bytes} bytes of environment are too many"), expected);
    }
    variables
}

fn read_vpc(lower: &mut Lower, vpc: &At<VpcFields>) -> Option<Vpc> {
    let VpcFields { subnets, security_groups, .. } = &vpc.value;
    lower.need(&vpc.value, "subnets", subnets.is_some(), vpc.at, &format!("1 to {MAX_SUBNETS} subnets"));
    lower.need(
        &vpc.value,
        "security_groups",
        security_groups.is_some(),
        vpc.at,
        &format!("1 to {MAX_SECURITY_GROUPS} security groups"),
    );
    let (subnets, groups) = (subnets.as_ref()?, security_groups.as_ref()?);
    check_count(lower, subnets.at, subnets.value.len(), MAX_SUBNETS, "subnets");
    check_count(lower, groups.at, groups.value.len(), MAX_SECURITY_GROUPS, "security groups");
    Some(Vpc {
        subnets: subnets.value.iter().map(|id| id.value.0.clone()).collect(),
        security_groups: groups.value.iter().map(|id| id.value.0.clone()).collect(),
    })
}

fn check_count(lower: &mut Lower, at: Span, count: usize, most: usize, what: &str) {
    if count == 0 || count > most {
        lower.error(at, format!("{count} {what} do not do"), format!("1 to {most}"));
    }
}

fn read_statements(lower: &mut Lower, written: &FunctionFields) -> Vec<Statement> {
    let Some(allow) = &written.allow else { return Vec::new() };
    if written.role.is_some() {
        let what = "`allow` is for the role that is derived: this one is used as it is";
        lower.error(allow.at, what, "not beside `role: { existing }`");
    }
    allow.value.iter().filter_map(|statement| read_statement(lower, statement)).collect()
}

fn read_statement(lower: &mut Lower, statement: &At<Allow>) -> Option<Statement> {
    let Allow { actions, resources, conditions, .. } = &statement.value;
    lower.need(&statement.value, "actions", actions.is_some(), statement.at, "a list, such as [s3:GetObject]");
    lower.need(&statement.value, "resources", resources.is_some(), statement.at, "a list of ARNs");
    let (actions, resources) = (actions.as_ref()?, resources.as_ref()?);
    for action in actions.value.iter().filter(|action| !matches(r"\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+", &action.value.0)) {
        lower.error(action.at, format!("`{}` is no action", action.value.0), "SERVICE:ACTION, such as s3:GetObject");
    }
    for arn in resources.value.iter().filter(|arn| arn.value.0 != "*" && !arn.value.0.starts_with("arn:")) {
        lower.error(arn.at, format!("`{}` is no ARN", arn.value.0), "arn:… or `*`");
    }
    let effect = match statement.value.effect() {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    };
    Some(Statement {
        effect: effect.to_owned(),
        action: actions.value.iter().map(|action| action.value.0.clone()).collect(),
        resource: resources.value.iter().map(|arn| arn.value.0.clone()).collect(),
        condition: conditions.as_ref().map(|conditions| conditions.value.0.clone()),
    })
}

/// By default a crate is built for this machine.
fn architecture(written: &FunctionFields, code: Option<&Code>) -> Architecture {
    match (&written.architecture, code) {
        (Some(architecture), _) => architecture.value,
        (None, Some(Code::Crate { .. })) if cfg!(target_arch = "aarch64") => Architecture::Arm64,
        (None, _) => Architecture::X86_64,
    }
}

fn written_code(code: &Code) -> CodeFields {
    let path = |path: &Path| said(Text(path.to_string_lossy().into_owned()));
    let none = CodeFields::default();
    match code {
        Code::Crate { path: folder, bin } => {
            CodeFields { crate_: path(folder), bin: bin.clone().and_then(|bin| said(Text(bin))), ..none }
        }
        Code::Zip { path: file } => CodeFields { zip: path(file), ..none },
        Code::Dir { path: folder } => CodeFields { dir: path(folder), ..none },
        Code::S3 { bucket, key, version } => {
            let object = CodeObject {
                bucket: said(BucketName(bucket.clone())),
                key: said(Text(key.clone())),
                version: version.clone().and_then(|version| said(Text(version))),
                ..CodeObject::default()
            };
            CodeFields { s3: said(object), ..none }
        }
        // A spec has none: it comes of preparing one of the above.
        Code::Ready(_) => none,
    }
}

fn written_vpc(vpc: &Vpc) -> VpcFields {
    VpcFields {
        subnets: said(vpc.subnets.iter().filter_map(|id| said(SubnetId(id.clone()))).collect()),
        security_groups: said(vpc.security_groups.iter().filter_map(|id| said(SecurityGroupId(id.clone()))).collect()),
        ..VpcFields::default()
    }
}

fn written_statement(statement: &Statement) -> Allow {
    Allow {
        actions: said(statement.action.iter().filter_map(|action| said(Text(action.clone()))).collect()),
        resources: said(statement.resource.iter().filter_map(|arn| said(Text(arn.clone()))).collect()),
        effect: said(if statement.effect == "Deny" { Effect::Deny } else { Effect::Allow }),
        conditions: statement.condition.as_ref().and_then(|conditions| said(Anything(conditions.clone()))),
        ..Allow::default()
    }
}

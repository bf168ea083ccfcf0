//! Functions.

use std::collections::BTreeMap;

use aws_facts::lambda::RESERVED_VARIABLES;
use local_cloud::functions::runtime;

use super::super::collection::Map;
use super::super::diagnostic::Span;
use super::super::grammar::{Allow, Code as WrittenCode, Function, Vpc as WrittenVpc};
use super::super::scalar::{Text, matches};
use super::super::shape::At;
use super::super::words::Effect;
use super::Lower;
use crate::resource::function::{self, Architecture, Code, LogRef, Vpc};
use crate::resource::role::{RoleRef, Statement};

const PROVIDED: &str = "provided.";

impl Lower<'_> {
    pub(super) fn function(&mut self, key: &At<String>, name: &str, written: Function) -> Option<function::Function> {
        self.need(&written, "code", written.code.is_some(), key.at, "one of crate, zip, dir, s3");
        let code = written.code.as_ref().and_then(|code| self.code(code));
        self.runtime(&written, code.as_ref());
        let handler = self.handler(key, &written);
        let log = written.log.as_ref().map(|log| self.log(log));
        if let Some(layers) = written.layers.as_ref().filter(|layers| layers.value.len() > 5) {
            self.error(layers.at, format!("{} layers are too many", layers.value.len()), "at most 5");
        }
        let function = function::Function {
            runtime: written.runtime().0,
            handler: handler.unwrap_or_default(),
            architecture: architecture(&written, code.as_ref()),
            memory_mib: written.memory().0,
            timeout_s: written.timeout().0,
            ephemeral_storage_mib: written.ephemeral_storage().0,
            description: written.description().0,
            environment: written.environment.as_ref().map(|env| self.variables(env)).unwrap_or_default(),
            layers: written.layers.iter().flat_map(|layers| &layers.value).map(|arn| arn.value.0.clone()).collect(),
            vpc: written.vpc.as_ref().and_then(|vpc| self.vpc(vpc)),
            publish: written.publish() || written.alias.is_some(),
            alias: written.alias.as_ref().map(|alias| alias.value.0.clone()),
            allow: self.statements(&written),
            role: self.role(written.role.as_ref(), RoleRef::of_function(&key.value, name)),
            log: log.unwrap_or(LogRef::Derived { retention_days: None }),
            code: code?,
        };
        Some(function)
    }

    fn code(&mut self, code: &At<WrittenCode>) -> Option<Code> {
        let WrittenCode { crate_, bin, zip, dir, s3, wrong } = &code.value;
        if let (None, Some(bin)) = (crate_, bin) {
            self.error(bin.at, "`bin` names a binary of a crate", "only with `crate`");
        }
        // Without `..` in it, where it is there: people read it in the plan.
        let path = |text: &At<Text<1, 4096>>| {
            let joined = self.folder.join(&text.value.0);
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
                self.need(object, "bucket", object.bucket.is_some(), code.at, "the bucket's name");
                self.need(object, "key", object.key.is_some(), code.at, "the object's key");
                let (bucket, key) = (object.bucket.as_ref()?, object.key.as_ref()?);
                self.check_bucket_name(bucket);
                let version = object.version.as_ref().map(|version| version.value.0.clone());
                Some(Code::S3 { bucket: bucket.value.0.clone(), key: key.value.0.clone(), version })
            }
            (None, None, None, None) => {
                if wrong.is_empty() {
                    self.error(code.at, "code from nowhere", "one of crate, zip, dir, s3");
                }
                None
            }
            _ => {
                self.error(code.at, "code from several places", "only one of crate, zip, dir, s3");
                None
            }
        }
    }

    fn runtime(&mut self, written: &Function, code: Option<&Code>) {
        let Some(runtime) = &written.runtime else { return };
        let name = runtime.value.0.as_str();
        if runtime::is_gone(name) {
            let what = format!("AWS creates no function with `{name}` any more");
            let instead = if name.starts_with("provided") { "provided.al2023" } else { "a newer runtime" };
            self.error(runtime.at, what, instead);
        } else if matches!(code, Some(Code::Crate { .. })) && !name.starts_with(PROVIDED) {
            self.error(runtime.at, format!("a crate does not run on `{name}`"), "provided.al2023");
        }
    }

    fn handler(&mut self, key: &At<String>, written: &Function) -> Option<String> {
        if let Some(handler) = &written.handler {
            return Some(handler.value.0.clone());
        }
        let runtime = written.runtime().0;
        if runtime.starts_with("provided") {
            return Some("bootstrap".to_owned());
        }
        self.need(written, "handler", false, key.at, &format!("{runtime} calls one, such as app.handler"));
        None
    }

    fn variables(&mut self, written: &At<Map<Text<0, 4096>>>) -> BTreeMap<String, String> {
        for (name, _) in &written.value.pairs {
            if RESERVED_VARIABLES.contains(&name.value.as_str()) {
                self.error(name.at, format!("Lambda sets `{}` itself", name.value), "another name");
            } else if !matches("[a-zA-Z][a-zA-Z0-9_]+", &name.value) {
                let expected = "at least two letters, digits or `_`, a letter first";
                self.error(name.at, format!("`{}` is no name for a variable of Lambda's", name.value), expected);
            }
        }
        let pairs = written.value.pairs.iter().map(|(name, value)| (name.value.clone(), value.value.0.clone()));
        let variables: BTreeMap<String, String> = pairs.collect();
        let bytes: usize = variables.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > 4096 {
            self.error(written.at, format!("{bytes} bytes of environment are too many"), "at most 4096 in all");
        }
        variables
    }

    fn vpc(&mut self, vpc: &At<WrittenVpc>) -> Option<Vpc> {
        let WrittenVpc { subnets, security_groups, .. } = &vpc.value;
        self.need(&vpc.value, "subnets", subnets.is_some(), vpc.at, "1 to 16 subnets");
        self.need(&vpc.value, "security_groups", security_groups.is_some(), vpc.at, "1 to 5 security groups");
        let (subnets, groups) = (subnets.as_ref()?, security_groups.as_ref()?);
        self.count(subnets.at, subnets.value.len(), 16, "subnets");
        self.count(groups.at, groups.value.len(), 5, "security groups");
        Some(Vpc {
            subnets: subnets.value.iter().map(|id| id.value.0.clone()).collect(),
            security_groups: groups.value.iter().map(|id| id.value.0.clone()).collect(),
        })
    }

    fn count(&mut self, at: Span, count: usize, most: usize, what: &str) {
        if count == 0 || count > most {
            self.error(at, format!("{count} {what} do not do"), format!("1 to {most}"));
        }
    }

    fn statements(&mut self, written: &Function) -> Vec<Statement> {
        let Some(allow) = &written.allow else { return Vec::new() };
        if written.role.is_some() {
            let what = "`allow` is for the role that is derived: this one is used as it is";
            self.error(allow.at, what, "not beside `role: { existing }`");
        }
        allow.value.iter().filter_map(|statement| self.statement(statement)).collect()
    }

    fn statement(&mut self, statement: &At<Allow>) -> Option<Statement> {
        let Allow { actions, resources, conditions, .. } = &statement.value;
        self.need(&statement.value, "actions", actions.is_some(), statement.at, "a list, such as [s3:GetObject]");
        self.need(&statement.value, "resources", resources.is_some(), statement.at, "a list of ARNs");
        let (actions, resources) = (actions.as_ref()?, resources.as_ref()?);
        for action in
            actions.value.iter().filter(|action| !matches(r"\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+", &action.value.0))
        {
            self.error(action.at, format!("`{}` is no action", action.value.0), "SERVICE:ACTION, such as s3:GetObject");
        }
        for arn in resources.value.iter().filter(|arn| arn.value.0 != "*" && !arn.value.0.starts_with("arn:")) {
            self.error(arn.at, format!("`{}` is no ARN", arn.value.0), "arn:… or `*`");
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
}

/// What is built here is built for this machine, if nothing else is said.
fn architecture(written: &Function, code: Option<&Code>) -> Architecture {
    match (&written.architecture, code) {
        (Some(architecture), _) => architecture.value,
        (None, Some(Code::Crate { .. })) if cfg!(target_arch = "aarch64") => Architecture::Arm64,
        (None, _) => Architecture::X86_64,
    }
}

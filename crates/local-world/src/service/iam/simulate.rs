//! Simulations of policies: SimulatePrincipalPolicy and SimulateCustomPolicy.

use crate::model::query::{Form, Xml};
use crate::request::AwsError;

use super::condition::Context;
use super::decision::{Opinions, Why};
use super::page::page;
use super::policy::{Document, Verdict};
use super::view::{evaluate, root_of};
use super::{Call, no_such_entity, policies, roles};

/// Asks about a role that is there; the other action asks about policies that are given.
pub const PRINCIPAL: &str = "SimulatePrincipalPolicy";
pub const CUSTOM: &str = "SimulateCustomPolicy";

/// The policies of the role that a simulation is about.
#[derive(Debug, Default)]
pub struct Own {
    identity: Vec<Document>,
    /// The role's boundary, of which there is none of that name any more where it is empty.
    boundary: Option<Vec<Document>>,
}

/// Reads the policies of the role whose ARN is given. A simulation of given policies needs none.
pub fn own(call: &Call, action: &str) -> Result<Own, AwsError> {
    if action != PRINCIPAL {
        return Ok(Own::default());
    }
    let arn = call.form.required("PolicySourceArn")?;
    let role = call.roles.iter().map(|(_, role)| role).find(|role| role.arn == arn);
    let role = role.ok_or_else(|| no_such_entity(format!("{arn} does not exist")))?;
    let boundary = role.boundary.as_deref().map(|arn| policies::document(call.policies, arn, call.around.now, 0));
    Ok(Own {
        identity: role.documents(call.policies, call.around.now, 0).collect(),
        boundary: boundary.map(Vec::from_iter),
    })
}

/// Evaluates thousands of questions and policies, beside the world.
pub fn run(form: &Form, own: Own) -> Result<Xml, AwsError> {
    let Own { mut identity, boundary } = own;
    identity.extend(given(form, "PolicyInputList")?);
    let boundary = match given(form, "PermissionsBoundaryPolicyInputList")? {
        instead if instead.is_empty() => boundary,
        instead => Some(instead),
    };
    let caller = form.get("CallerArn").or(form.get("PolicySourceArn")).unwrap_or_default().to_owned();
    simulate(form, &Policies { identity, boundary, resource: resource(form)?, caller })
}

fn given(form: &Form, list: &str) -> Result<Vec<Document>, AwsError> {
    let parse = |text: &str| roles::document(text).map(|text| Document::parse(&text));
    let parsed: Result<Vec<_>, AwsError> = form.list(list).into_iter().map(parse).collect();
    Ok(parsed?.into_iter().flatten().collect())
}

fn resource(form: &Form) -> Result<Option<Document>, AwsError> {
    let Some(text) = form.get("ResourcePolicy") else { return Ok(None) };
    // The wording is ours.
    let unread = || AwsError::new("InvalidInput", "ResourcePolicy is no policy document");
    Document::parse(text).map(Some).ok_or_else(unread)
}

/// The policies that a simulation evaluates, and the caller.
struct Policies {
    identity: Vec<Document>,
    /// One of several boundaries is enough to allow an action. A boundary that does not exist is an empty list and allows nothing.
    boundary: Option<Vec<Document>>,
    resource: Option<Document>,
    /// An ARN, as which a resource's policy names him.
    caller: String,
}

impl Policies {
    fn opinions(&self, action: &str, resource: &str, context: &Context) -> Opinions {
        let account = self.caller.split(':').nth(4).unwrap_or_default();
        let account = [account, &root_of(&self.caller)];
        let by_resource =
            |policy: &Document| policy.by_one_of(&account, &[&self.caller, "*"], action, resource, context);
        Opinions {
            identity: evaluate(&self.identity, action, resource, context),
            boundary: self.boundary.as_deref().map(|boundary| evaluate(boundary, action, resource, context)),
            session: None,
            resource: self.resource.as_ref().map_or(Verdict::Silent, by_resource),
            by_name: Verdict::Silent,
        }
    }

    /// The keys that conditions of any of them ask for and that are not given, as they are written first.
    fn missing(&self, given: &Context) -> Vec<String> {
        let all = self.identity.iter().chain(self.boundary.iter().flatten()).chain(&self.resource);
        let mut missing: Vec<String> = vec![];
        for key in all.flat_map(Document::condition_keys) {
            let known = |key: &str| given.iter().any(|(given, _)| given.eq_ignore_ascii_case(key));
            if !known(key) && !missing.iter().any(|found| found.eq_ignore_ascii_case(key)) {
                missing.push(key.to_owned());
            }
        }
        missing
    }
}

/// Keys and values that the call gives.
fn given_context(form: &Form) -> Vec<(String, Vec<String>)> {
    let entries = (1..).map_while(|n| {
        let entry = format!("ContextEntries.member.{n}");
        let key = form.get(&format!("{entry}.ContextKeyName"))?;
        let values = form.list(&format!("{entry}.ContextKeyValues"));
        Some((key.to_ascii_lowercase(), values.into_iter().map(str::to_owned).collect()))
    });
    entries.collect()
}

fn simulate(form: &Form, policies: &Policies) -> Result<Xml, AwsError> {
    let actions = form.list("ActionNames");
    if actions.is_empty() {
        form.required("ActionNames")?;
    }
    let resources = Some(form.list("ResourceArns")).filter(|arns| !arns.is_empty()).unwrap_or_else(|| vec!["*"]);
    let mut context = given_context(form);
    let missing = policies.missing(&context);
    context.extend(missing.iter().map(|key| (key.to_ascii_lowercase(), vec![])));
    let list_missing = |xml: &mut Xml| {
        xml.element("MissingContextValues", |xml| missing.iter().for_each(|key| xml.text("member", key)));
    };
    let questions = actions.iter().flat_map(|action| resources.iter().map(move |resource| (*action, *resource)));
    // In the order in which they are asked, and each by its number.
    let page = page(form, questions.enumerate().map(|(at, question)| (format!("{at:09}"), question)))?;
    let mut xml = Xml::default();
    xml.members("EvaluationResults", &page.items, |xml, &(action, resource)| {
        let opinions = policies.opinions(action, resource, &context);
        let decided = decision(opinions);
        xml.text("EvalActionName", action);
        xml.text("EvalResourceName", resource);
        xml.text("EvalDecision", decided);
        xml.element("MatchedStatements", |_| ());
        list_missing(xml);
        if let Some(verdict) = opinions.boundary {
            xml.element("PermissionsBoundaryDecisionDetail", |xml| {
                xml.text("AllowedByPermissionsBoundary", verdict == Verdict::Allowed);
            });
        }
        xml.members("ResourceSpecificResults", [resource], |xml, resource| {
            xml.text("EvalResourceName", resource);
            xml.text("EvalResourceDecision", decided);
            xml.element("MatchedStatements", |_| ());
            list_missing(xml);
        });
    });
    page.end(&mut xml);
    Ok(xml)
}

fn decision(opinions: Opinions) -> &'static str {
    match opinions.decide() {
        Ok(()) => "allowed",
        Err(Why::Denied(_)) => "explicitDeny",
        Err(Why::NotAllowed(_)) => "implicitDeny",
    }
}

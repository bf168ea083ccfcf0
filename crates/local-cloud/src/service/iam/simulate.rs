//! What policies would say: SimulatePrincipalPolicy and SimulateCustomPolicy.

use crate::request::AwsError;
use crate::service::query::Xml;

use super::condition::Context;
use super::decision::{Opinions, Why};
use super::page::page;
use super::policy::{Document, Verdict};
use super::{Call, Outcome, evaluate, no_such_entity, policies, roles};

/// Of a role, by its ARN.
pub fn principal(call: &mut Call) -> Outcome {
    let arn = call.form.required("PolicySourceArn")?;
    let role = call.roles.iter().map(|(_, role)| role).find(|role| role.arn == arn);
    let role = role.ok_or_else(|| no_such_entity(format!("{arn} does not exist")))?;
    let mut identity: Vec<Document> = role.documents(call.policies, call.now, 0).collect();
    identity.extend(given(call, "PolicyInputList")?);
    let own = role.boundary.as_deref().map(|arn| policies::document(call.policies, arn, call.now, 0));
    let boundary = match given(call, "PermissionsBoundaryPolicyInputList")? {
        instead if instead.is_empty() => own.map(Vec::from_iter),
        instead => Some(instead),
    };
    let caller = call.form.get("CallerArn").unwrap_or(arn).to_owned();
    simulate(call, &Policies { identity, boundary, resource: resource(call)?, caller })
}

pub fn custom(call: &mut Call) -> Outcome {
    let identity = given(call, "PolicyInputList")?;
    let boundary = Some(given(call, "PermissionsBoundaryPolicyInputList")?).filter(|given| !given.is_empty());
    let caller = call.form.get("CallerArn").unwrap_or_default().to_owned();
    simulate(call, &Policies { identity, boundary, resource: resource(call)?, caller })
}

fn given(call: &Call, list: &str) -> Result<Vec<Document>, AwsError> {
    let parse = |text: &str| roles::document(text).map(|text| Document::parse(&text));
    let parsed: Result<Vec<_>, AwsError> = call.form.list(list).into_iter().map(parse).collect();
    Ok(parsed?.into_iter().flatten().collect())
}

fn resource(call: &Call) -> Result<Option<Document>, AwsError> {
    let Some(text) = call.form.get("ResourcePolicy") else { return Ok(None) };
    // The wording is ours.
    let unread = || AwsError::new("InvalidInput", "ResourcePolicy is no policy document");
    Document::parse(text).map(Some).ok_or_else(unread)
}

/// What is asked.
struct Policies {
    identity: Vec<Document>,
    /// Of several that are given, each is one more chance; a boundary that is not there is none of them, and allows nothing.
    boundary: Option<Vec<Document>>,
    resource: Option<Document>,
    /// An ARN, as which a resource's policy names him.
    caller: String,
}

impl Policies {
    fn opinions(&self, action: &str, resource: &str, context: &Context) -> Opinions {
        let account = self.caller.split(':').nth(4).unwrap_or_default();
        let account = [account, &super::root_of(&self.caller)];
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
fn given_context(call: &Call) -> Vec<(String, Vec<String>)> {
    let entries = (1..).map_while(|n| {
        let entry = format!("ContextEntries.member.{n}");
        let key = call.form.get(&format!("{entry}.ContextKeyName"))?;
        let values = call.form.list(&format!("{entry}.ContextKeyValues"));
        Some((key.to_ascii_lowercase(), values.into_iter().map(str::to_owned).collect()))
    });
    entries.collect()
}

fn simulate(call: &Call, policies: &Policies) -> Outcome {
    let actions = call.form.list("ActionNames");
    if actions.is_empty() {
        call.form.required("ActionNames")?;
    }
    let resources = Some(call.form.list("ResourceArns")).filter(|arns| !arns.is_empty()).unwrap_or_else(|| vec!["*"]);
    let mut context = given_context(call);
    let missing = policies.missing(&context);
    context.extend(missing.iter().map(|key| (key.to_ascii_lowercase(), vec![])));
    let list_missing = |xml: &mut Xml| {
        xml.element("MissingContextValues", |xml| missing.iter().for_each(|key| xml.text("member", key)));
    };
    let questions = actions.iter().flat_map(|action| resources.iter().map(move |resource| (*action, *resource)));
    // In the order in which they are asked, and each by its number.
    let page = page(&call.form, questions.enumerate().map(|(at, question)| (format!("{at:09}"), question)))?;
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
    Ok(Some(xml))
}

fn decision(opinions: Opinions) -> &'static str {
    match opinions.decide() {
        Ok(()) => "allowed",
        Err(Why::Denied(_)) => "explicitDeny",
        Err(Why::NotAllowed(_)) => "implicitDeny",
    }
}

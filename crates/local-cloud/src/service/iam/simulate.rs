//! What policies would say: SimulatePrincipalPolicy and SimulateCustomPolicy.

use crate::request::AwsError;
use crate::service::query::Xml;

use super::policy::{Document, Verdict};
use super::{Call, Outcome, evaluate, no_such_entity, policies, roles};

/// Of a role, by its ARN.
pub fn principal(call: &mut Call) -> Outcome {
    let arn = call.form.required("PolicySourceArn")?;
    let role = call.roles.iter().map(|(_, role)| role).find(|role| role.arn == arn);
    let role = role.ok_or_else(|| no_such_entity(format!("{arn} does not exist")))?;
    let mut documents: Vec<Document> = role.documents(call.policies, call.now, 0).collect();
    documents.extend(given(call)?);
    let boundary = role.boundary.as_deref();
    let boundary = boundary.map(|arn| policies::document(call.policies, arn, call.now, 0));
    simulate(call, &documents, boundary.as_ref().map(Option::as_ref))
}

pub fn custom(call: &mut Call) -> Outcome {
    let documents = given(call)?;
    simulate(call, &documents, None)
}

fn given(call: &Call) -> Result<Vec<Document>, AwsError> {
    let parse = |text: &str| roles::document(text).map(|text| Document::parse(&text));
    let parsed: Result<Vec<_>, AwsError> = call.form.list("PolicyInputList").into_iter().map(parse).collect();
    Ok(parsed?.into_iter().flatten().collect())
}

/// `boundary`: none, one that is not there (which allows nothing), or a document.
fn simulate(call: &Call, documents: &[Document], boundary: Option<Option<&Document>>) -> Outcome {
    let actions = call.form.list("ActionNames");
    if actions.is_empty() {
        call.form.required("ActionNames")?;
    }
    let resources = Some(call.form.list("ResourceArns")).filter(|arns| !arns.is_empty()).unwrap_or_else(|| vec!["*"]);
    let named = (1..).map_while(|n| {
        let entry = format!("ContextEntries.member.{n}");
        let key = call.form.get(&format!("{entry}.ContextKeyName"))?;
        let value = call.form.get(&format!("{entry}.ContextKeyValues.member.1")).unwrap_or_default();
        Some((key.to_ascii_lowercase(), value))
    });
    let named: Vec<(String, &str)> = named.collect();
    let context: Vec<(&str, &str)> = named.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let questions = actions.iter().flat_map(|action| resources.iter().map(move |resource| (*action, *resource)));
    let mut xml = Xml::default();
    xml.members("EvaluationResults", questions, |xml, (action, resource)| {
        let by_identity = evaluate(documents, action, resource, &context);
        let by_boundary = boundary
            .map(|boundary| boundary.map_or(Verdict::Silent, |document| document.action(action, resource, &context)));
        xml.text("EvalActionName", action);
        xml.text("EvalResourceName", resource);
        xml.text("EvalDecision", decision(by_identity, by_boundary));
        xml.element("MatchedStatements", |_| ());
        xml.element("MissingContextValues", |_| ());
        if let Some(verdict) = by_boundary {
            xml.element("PermissionsBoundaryDecisionDetail", |xml| {
                xml.text("AllowedByPermissionsBoundary", verdict == Verdict::Allowed);
            });
        }
    });
    xml.text("IsTruncated", false);
    Ok(Some(xml))
}

fn decision(by_identity: Verdict, by_boundary: Option<Verdict>) -> &'static str {
    match (by_identity, by_boundary) {
        (Verdict::Denied, _) | (_, Some(Verdict::Denied)) => "explicitDeny",
        (Verdict::Allowed, None | Some(Verdict::Allowed)) => "allowed",
        (Verdict::Allowed | Verdict::Silent, _) => "implicitDeny",
    }
}

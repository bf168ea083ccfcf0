//! A kind in one file, as a stranger would add one: a section of log groups of one's own. No other file of this crate knows it. A
//! real kind has a row in `KINDS` and one in `sections!` besides; here the tests take the place of both.

use std::collections::BTreeMap;

use super::shared::tag_map;
use super::{Diff, Field, Gone, Resource, Scanned, fields};
use crate::cloud::{Cx, client};
use crate::error::Result;
use crate::names::{Address, Name, Names, Tags};
use crate::section::{Lower, Section};
use crate::send::{self, found};
use crate::yaml::scalar::{Days, patterns};
use crate::yaml::shape::{At, record, said};

const ABSENT: &str = "ResourceNotFoundException";

patterns! {
    ToyName[usize::MAX] = "[a-z/]+", "lower-case letters and `/`";
}

record! {
    /// A log group of one's own.
    ToyFields {
        /// How long its events are kept. Default: for ever.
        retention: Days<1, 3653>;
        /// One of two classes, which AWS does not change.
        class: ToyClass = "standard";
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToyClass {
    Standard,
    Infrequent,
}

crate::yaml::scalar::choices!(ToyClass {
    "standard" => ToyClass::Standard,
    "infrequent" => ToyClass::Infrequent,
});

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Toy {
    retention_days: Option<u32>,
    class: ToyClass,
}

impl Section for Toy {
    type Fields = ToyFields;
    type Name = ToyName;
    type Id = ToyName;
    const NOUN: &'static str = "a toy";
    const NAME_MAX: usize = 512;

    fn read(_: &mut Lower, _: &At<String>, _: &str, fields: ToyFields) -> Option<Toy> {
        Some(Toy { class: fields.class(), retention_days: fields.retention.map(|days| days.value.0) })
    }

    fn fields(&self) -> ToyFields {
        let retention = self.retention_days.and_then(|days| said(crate::yaml::scalar::Time(days)));
        ToyFields { retention, class: said(self.class), ..ToyFields::default() }
    }

    fn arn(name: &str, names: &Names) -> String {
        names.arn("logs", &format!("log-group:{name}"))
    }
}

impl Resource for Toy {
    const KIND: &'static str = "toy";
    type Live = Toy;

    fn is_name(physical: &str) -> bool {
        physical.starts_with('/')
    }

    fn refs(&self) -> Vec<Address> {
        vec![]
    }

    fn live_refs(_: &Toy, _: bool) -> Vec<(&'static str, String)> {
        vec![]
    }

    fn diff(&self, live: &Toy, _: &Name, _: &Names) -> Diff {
        fields::diff(&live.fields(), &self.fields(), &[("class", "AWS does not change the class of a log group")])
    }

    fn summary(&self, _: &Name, _: &Names) -> Vec<Field> {
        fields::summary(&self.fields())
    }

    async fn list(_: &Cx) -> Result<Scanned> {
        Ok(Scanned::default())
    }

    async fn observe(cx: &Cx, name: &Name) -> Result<Option<Toy>> {
        let call =
            client!(cx, aws_sdk_cloudwatchlogs).describe_log_groups().log_group_name_prefix(&name.physical).limit(1);
        let answer = send::ask(cx, name, format!("reading {name}"), || call.clone().send()).await?;
        let group = answer.log_groups.unwrap_or_default().pop();
        Ok(group.map(|group| Toy {
            retention_days: group.retention_in_days.map(|days| days as u32),
            class: ToyClass::Standard,
        }))
    }

    async fn tags(cx: &Cx, name: &Name, _: Option<&Toy>) -> Result<Option<Tags>> {
        let call = client!(cx, aws_sdk_cloudwatchlogs)
            .list_tags_for_resource()
            .resource_arn(Toy::arn(&name.physical, &cx.names));
        let carried =
            found(send::ask(cx, name, format!("reading the tags of {name}"), || call.clone().send()).await, ABSENT)?;
        Ok(Some(carried.and_then(|carried| carried.tags).unwrap_or_default().into_iter().collect()))
    }

    async fn retag(_: &Cx, _: &Name, _: &Toy, _: &Tags, _: &[String]) -> Result<()> {
        Ok(())
    }

    async fn create(&self, cx: &Cx, name: &Name, tags: &Tags) -> Result<()> {
        let call = client!(cx, aws_sdk_cloudwatchlogs)
            .create_log_group()
            .log_group_name(&name.physical)
            .set_tags(Some(tag_map(tags)));
        send::create(cx, name, format!("creating {name}"), || call.clone().send()).await?;
        self.update(cx, name, &Toy { retention_days: None, class: self.class }, &Diff::default()).await
    }

    async fn update(&self, cx: &Cx, name: &Name, _: &Toy, _: &Diff) -> Result<()> {
        let Some(days) = self.retention_days else { return Ok(()) };
        let call = client!(cx, aws_sdk_cloudwatchlogs)
            .put_retention_policy()
            .log_group_name(&name.physical)
            .retention_in_days(days as i32);
        send::change(cx, name, format!("updating {name}"), || call.clone().send()).await
    }

    async fn delete(cx: &Cx, name: &Name, _: &Toy) -> Result<Gone> {
        let call = client!(cx, aws_sdk_cloudwatchlogs).delete_log_group().log_group_name(&name.physical);
        send::delete(cx, name, format!("deleting {name}"), ABSENT, || call.clone().send()).await?;
        Ok(Gone::Deleted)
    }
}

#[cfg(test)]
mod tests {
    use local_cloud::{Engine, Settings};
    use serde_json::json;

    use super::*;
    use crate::cloud;
    use crate::derive::node_of;
    use crate::names::Names;
    use crate::section::{Entry, References, Written};
    use crate::yaml::collection::Map;
    use crate::yaml::diagnostic::{Diagnostics, Mistake};
    use crate::yaml::shape::Shape;
    use crate::yaml::tree;

    /// The entries of a section of toys, or what is wrong with it.
    fn read(section: &str) -> std::result::Result<BTreeMap<String, Entry<Toy>>, String> {
        let mut mistakes: Vec<Mistake> = vec![];
        let tree = tree::parse(section, &mut mistakes).unwrap_or_else(|_| panic!("it is no YAML"));
        let written: Option<At<Map<Written<Toy>>>> = crate::yaml::shape::at(&tree, &mut mistakes);
        let mut lower = Lower {
            folder: "/".into(),
            environment: None,
            tag_prefix: "provision".into(),
            tags: BTreeMap::new(),
            stack: "toys".into(),
            place: Default::default(),
            names_by_place: false,
            references: References::default(),
            shared: Default::default(),
            mistakes: &mut mistakes,
        };
        let entries = lower.section(written.as_ref(), None);
        match mistakes.is_empty() {
            true => Ok(entries),
            false => Err(Diagnostics::new("toys.yaml", section, mistakes).render(false)),
        }
    }

    fn cx(engine: &Engine) -> Cx {
        let names = Names { account: "000000000000".into(), ..crate::cloud::tests::names() };
        Cx::new(cloud::within(engine.http_client(), "us-east-1"), names)
    }

    #[test]
    fn its_section_is_read_explained_described_and_written_again() {
        let entries = read("archive: { name: /archive, retention: 7d, protect: true }\n").expect("it is right");
        let written = Written::of(&entries["archive"], &Tags::new());
        let text = serde_yaml::to_string(&written.write()).expect("it is written");
        assert_eq!(text, "name: /archive\nretention: 7d\nclass: standard\nprotect: true\n");

        let wrong = read("archive: { name: /archive, retention: 7, clas: standard }\n").expect_err("it is wrong");
        assert!(wrong.contains("`7` has no unit") && wrong.contains("did you mean `class`?"), "{wrong}");

        let schema = Written::<Toy>::schema();
        assert_eq!(schema["properties"]["class"]["default"], json!("standard"));
        assert!(schema["properties"].get("protect").is_some() && schema["properties"].get("existing").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_created_updated_and_deleted() {
        let engine = Engine::start(Settings::default()).await.expect("an engine in memory starts");
        let cx = cx(&engine);
        let tags = Tags::from([("a".to_owned(), "b".to_owned())]);
        let entry = |section: &str| read(section).expect("it is right").remove("archive").expect("it has one");
        let mut wanted = node_of("archive", &entry("archive: { name: /archive }\n"));
        wanted.observe(&cx, false).await.expect("it is absent");
        assert!(!wanted.facts(&cx.names, false).live);
        wanted.create(&cx, &tags).await.expect("created");

        let mut wanted = node_of("archive", &entry("archive: { name: /archive, retention: 7d }\n"));
        wanted.observe(&cx, true).await.expect("it exists");
        let facts = wanted.facts(&cx.names, false);
        let told: Vec<_> =
            facts.diff.changes.iter().map(|c| (c.field.as_str(), c.from.as_str(), c.to.as_str())).collect();
        assert_eq!(told, [("retention", "none", "7d")]);
        wanted.update(&cx, &facts.diff).await.expect("updated");
        wanted.observe(&cx, false).await.expect("it exists");
        assert!(wanted.facts(&cx.names, false).diff.is_empty());

        let mut class = node_of("archive", &entry("archive: { name: /archive, retention: 7d, class: infrequent }\n"));
        class.observe(&cx, false).await.expect("it exists");
        assert!(class.facts(&cx.names, false).diff.replaces());
        class.delete(&cx).await.expect("deleted");
        class.observe(&cx, false).await.expect("it is absent");
        assert!(!class.facts(&cx.names, false).live);
    }
}

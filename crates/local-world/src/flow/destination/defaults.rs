//! The values that Firehose fills in for members that a caller leaves out.

use aws_facts::firehose::{DEFAULT_BUFFER_INTERVAL_S, DEFAULT_BUFFER_MIB};

use super::{BufferingHints, Destination, Parameter, Processor};

impl Destination {
    /// With the defaults that show when it is described.
    pub fn filled(mut self) -> Destination {
        self.fill_storage();
        self.s3_backup_mode.get_or_insert_with(|| "Disabled".into());
        if let Some(processing) = &mut self.processing_configuration {
            let enabled = *processing.enabled.get_or_insert(false);
            for processor in processing.processors.iter_mut().filter(|_| enabled) {
                processor.fill(&self.role_arn);
            }
        }
        if let Some(backup) = &mut self.s3_backup {
            backup.fill_storage();
        }
        self
    }

    /// Fills in the members that a backup has too.
    fn fill_storage(&mut self) {
        let hints = self.buffering_hints.unwrap_or_default();
        self.buffering_hints = Some(BufferingHints {
            size_in_mbs: hints.size_in_mbs.or(Some(DEFAULT_BUFFER_MIB.into())),
            interval_in_seconds: hints.interval_in_seconds.or(Some(DEFAULT_BUFFER_INTERVAL_S.into())),
        });
        self.compression_format.get_or_insert_with(|| "UNCOMPRESSED".into());
        self.encryption_configuration
            .get_or_insert_with(|| serde_json::json!({ "NoEncryptionConfig": "NoEncryption" }));
        self.cloud_watch_logging_options.get_or_insert_default();
    }
}

impl Processor {
    /// Lambda's five parameters all show, in this order; a truth value in lower case. Of the buffer, the defaults are for both
    /// or for none: one alone is refused when it is parsed.
    fn fill(&mut self, role_arn: &str) {
        let truths = self.parameters.iter_mut().filter(|p| p.parameter_name == "DataMessageExtraction");
        truths.for_each(|parameter| parameter.parameter_value.make_ascii_lowercase());
        if self.r#type != "Lambda" {
            return;
        }
        let buffered = ["BufferSizeInMBs", "BufferIntervalInSeconds"].iter().any(|name| self.parameter(name).is_some());
        let (size, interval) = if buffered { ("", "") } else { ("1", "60") };
        let defaults = [
            ("LambdaArn", ""),
            ("NumberOfRetries", "3"),
            ("RoleArn", role_arn),
            ("BufferSizeInMBs", size),
            ("BufferIntervalInSeconds", interval),
        ];
        let value = |name: &str, default: &str| self.parameter(name).unwrap_or(default).to_owned();
        self.parameters = defaults
            .map(|(name, default)| Parameter { parameter_name: name.into(), parameter_value: value(name, default) })
            .into();
    }
}

//! Does expensive work beside the world, before the turn that needs it: checksums, joining parts, and writing large bodies to the disk.
//! The world is only read here. If it has changed by the turn, the turn computes its own sums.

use bytes::Bytes;
use s3s::dto::*;

use super::adapter::Adapter;
use crate::drive::Kept;
use crate::service::s3::checksum::Algorithm;
use crate::service::s3::upload::{Asked, Joined};
use crate::service::s3::{Checksum, State, Sums};
use crate::wire::s3::{checksum, objects, uploads};

impl Adapter {
    fn look<R>(&self, read: impl FnOnce(&State) -> R) -> R {
        self.engine.look(&self.operation, |world| read(&world.s3))
    }

    /// An object that comes whole.
    pub(super) fn before_put(&self, body: &Bytes) -> (Sums, Option<Kept>) {
        let algorithm = self.checksum.is_none().then_some(Algorithm::Crc64Nvme);
        (Sums::of(body.clone(), algorithm), self.engine.keep_before(body))
    }

    /// A part that comes whole.
    pub(super) fn before_part(&self, input: &UploadPartInput, body: &Bytes) -> (Sums, Option<Kept>) {
        let wanted = self.look(|state| {
            let upload = state.upload(&input.upload_id, &input.bucket, &input.key).ok()?;
            checksum::of_whole_upload(upload).filter(|_| self.checksum.is_none())
        });
        (Sums::of(body.clone(), wanted), self.engine.keep_before(body))
    }

    pub(super) fn before_copy(&self, input: &CopyObjectInput) -> (Sums, Option<Kept>) {
        let source = self.look(|state| {
            let (bucket, key, version) = objects::source(&input.copy_source).ok()?;
            let (source, body) = state.get(bucket, key, version).ok()?;
            Some((body, objects::copied(source, input)))
        });
        let Some((body, algorithm)) = source else { return Default::default() };
        let kept = self.engine.keep_before(&body);
        (Sums::of(body, Some(algorithm)), kept)
    }

    pub(super) fn before_part_copy(&self, input: &UploadPartCopyInput) -> (Sums, Option<Kept>) {
        let source = self.look(|state| {
            let (bucket, key, version) = objects::source(&input.copy_source).ok()?;
            let part = uploads::source_part(input, &state.get(bucket, key, version).ok()?.1).ok()?;
            let upload = state.upload(&input.upload_id, &input.bucket, &input.key).ok()?;
            Some((part, upload.checksum.map(|wanted| wanted.algorithm)))
        });
        let Some((part, algorithm)) = source else { return Default::default() };
        let kept = self.engine.keep_before(&part);
        (Sums::of(part, algorithm), kept)
    }

    /// The parts that a completion names, and the checksum of the whole that it will be asked for.
    pub(super) fn before_completion(
        &self,
        input: &CompleteMultipartUploadInput,
        asked: &[Asked],
        said: Option<&Checksum>,
    ) -> (Joined, Option<Kept>) {
        let numbers: Vec<i32> = asked.iter().map(|part| part.number).collect();
        let found = self.look(|state| {
            let upload = state.upload(&input.upload_id, &input.bucket, &input.key).ok()?;
            let algorithm = match (upload.checksum, said) {
                (Some(wanted), _) => Some(wanted.algorithm).filter(|_| !wanted.composite),
                (None, Some(said)) => Some(said.algorithm),
                (None, None) => Some(Algorithm::Crc64Nvme),
            };
            // Each part once, so that a list that repeats one does not fill the memory. The turn refuses it.
            let may = asked.len() <= upload.parts.len() && numbers.is_sorted_by(|a, b| a < b);
            Some((state.bodies(&input.upload_id, &numbers).filter(|_| may)?, algorithm))
        });
        let Some((parts, algorithm)) = found else { return Default::default() };
        let joined = Joined::of(parts, algorithm);
        let kept = self.engine.keep_before(joined.sums.body());
        (joined, kept)
    }

    /// The checksum of an object that has none yet.
    pub(super) fn before_read(&self, bucket: &str, key: &str, version: Option<&str>) -> Sums {
        let body = self.look(|state| {
            let (object, body) = state.get(bucket, key, version).ok()?;
            object.checksum.is_none().then_some(body)
        });
        body.map_or_else(Sums::default, |body| Sums::without_md5(body, Some(Algorithm::Crc64Nvme)))
    }
}

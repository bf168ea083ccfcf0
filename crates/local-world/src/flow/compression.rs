//! How objects are compressed, and how their keys and headers say so.

use std::io::Write;

use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;

use super::ident;
use super::refused::invalid;
use crate::request::AwsError;

/// snappy-java's stream: a header, then blocks of at most this much, each behind its compressed length.
const XERIAL_HEADER: [u8; 16] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1];
const XERIAL_BLOCK: usize = 32 << 10;
/// Hadoop's buffer of 256 KiB, less what Snappy may add to it.
const HADOOP_BLOCK: usize = (256 << 10) - ((256 << 10) / 6 + 32);

/// How Firehose compresses objects. <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ExtendedS3DestinationConfiguration.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// As they are.
    Uncompressed,
    /// GZIP.
    Gzip,
    /// An archive with one entry.
    Zip,
    /// Snappy's blocks behind the header of its Java library.
    Snappy,
    /// Snappy's blocks as Hadoop reads them.
    HadoopSnappy,
}

impl Compression {
    /// AWS's name of it. `None` is the default.
    ///
    /// # Errors
    /// AWS has no such format.
    pub fn parse(format: Option<&str>) -> Result<Compression, AwsError> {
        match format.unwrap_or("UNCOMPRESSED") {
            "UNCOMPRESSED" => Ok(Compression::Uncompressed),
            "GZIP" => Ok(Compression::Gzip),
            "ZIP" => Ok(Compression::Zip),
            "Snappy" => Ok(Compression::Snappy),
            "HADOOP_SNAPPY" => Ok(Compression::HadoopSnappy),
            other => Err(invalid(format!("CompressionFormat {other} is not known"))),
        }
    }

    /// At the end of a key. AWS delivers both kinds of Snappy as `.snappy`, whatever its documentation says.
    pub fn extension(self) -> &'static str {
        match self {
            Compression::Uncompressed => "",
            Compression::Gzip => ".gz",
            Compression::Zip => ".zip",
            Compression::Snappy | Compression::HadoopSnappy => ".snappy",
        }
    }

    /// The object's Content-Encoding.
    pub fn content_encoding(self) -> Option<&'static str> {
        match self {
            Compression::Uncompressed => None,
            Compression::Gzip => Some("gzip"),
            Compression::Zip => Some("zip"),
            Compression::Snappy => Some("snappy-java"),
            Compression::HadoopSnappy => Some("hadoop-snappy"),
        }
    }

    /// The body of an object. `seed` names what is inside an archive.
    pub fn compress(self, plain: Vec<u8>, seed: &str) -> Vec<u8> {
        match self {
            Compression::Uncompressed => plain,
            Compression::Gzip => gzip(&plain),
            Compression::Zip => archive(&plain, seed),
            Compression::Snappy => xerial(&plain),
            Compression::HadoopSnappy => hadoop(&plain),
        }
    }
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], flate2::Compression::default());
    encoder.write_all(plain).and_then(|()| encoder.finish()).expect("writing to memory does not fail")
}

/// One entry, named with a UUID.
fn archive(plain: &[u8], seed: &str) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    let name = ident::uuid(&[seed, "entry"]);
    archive.start_file(name, SimpleFileOptions::default()).expect("the first entry of an archive in memory");
    archive.write_all(plain).expect("writing to memory does not fail");
    archive.finish().expect("writing to memory does not fail").into_inner()
}

fn xerial(plain: &[u8]) -> Vec<u8> {
    let mut out = XERIAL_HEADER.to_vec();
    for block in plain.chunks(XERIAL_BLOCK) {
        append_block(&mut out, block);
    }
    out
}

/// Blocks, each behind its plain and its compressed length.
fn hadoop(plain: &[u8]) -> Vec<u8> {
    let mut out = vec![];
    for block in plain.chunks(HADOOP_BLOCK) {
        out.extend_from_slice(&length(block.len()));
        append_block(&mut out, block);
    }
    out
}

fn append_block(out: &mut Vec<u8>, block: &[u8]) {
    let compressed = snap::raw::Encoder::new().compress_vec(block).expect("a block is far below Snappy's limit");
    out.extend_from_slice(&length(compressed.len()));
    out.extend_from_slice(&compressed);
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).expect("a block is small").to_be_bytes()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn number(bytes: &mut &[u8]) -> usize {
        let (number, rest) = bytes.split_first_chunk::<4>().expect("a length");
        *bytes = rest;
        u32::from_be_bytes(*number) as usize
    }

    fn block(bytes: &mut &[u8]) -> Vec<u8> {
        let length = number(bytes);
        let (block, rest) = bytes.split_at(length);
        *bytes = rest;
        snap::raw::Decoder::new().decompress_vec(block).unwrap()
    }

    fn decompressed(compression: Compression, mut body: &[u8]) -> Vec<u8> {
        let mut out = vec![];
        match compression {
            Compression::Uncompressed => out.extend_from_slice(body),
            Compression::Gzip => drop(flate2::read::GzDecoder::new(body).read_to_end(&mut out).unwrap()),
            Compression::Zip => {
                let mut archive = zip::ZipArchive::new(std::io::Cursor::new(body)).unwrap();
                assert_eq!((archive.len(), archive.by_index(0).unwrap().name().unwrap().len()), (1, 36));
                archive.by_index(0).unwrap().read_to_end(&mut out).unwrap();
            }
            Compression::Snappy => {
                body = body.strip_prefix(b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01").unwrap();
                while !body.is_empty() {
                    out.extend(block(&mut body));
                }
            }
            Compression::HadoopSnappy => {
                while !body.is_empty() {
                    let plain = number(&mut body);
                    let block = block(&mut body);
                    assert_eq!(block.len(), plain);
                    out.extend(block);
                }
            }
        }
        out
    }

    #[test]
    fn each_compression_gives_back_what_went_in() {
        let all = ["UNCOMPRESSED", "GZIP", "ZIP", "Snappy", "HADOOP_SNAPPY"];
        for compression in all.map(|format| Compression::parse(Some(format)).unwrap()) {
            for length in [0, 1, 32 << 10, 300_001] {
                let plain: Vec<u8> = (0..length).map(|n: usize| (n / 7 % 251) as u8).collect();
                let body = compression.compress(plain.clone(), "seed");
                assert!(decompressed(compression, &body) == plain, "{compression:?} {length}");
            }
        }
    }
}

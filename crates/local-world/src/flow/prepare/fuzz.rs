//! Fuzz targets: records that are taken apart.

use bytes::Bytes;

use super::split::Split;
use super::unpack::tests::gzip;
use super::{Unpack, aggregate, unpack};

/// The digest is made to fit, so that what is behind it is reached.
#[test]
fn fuzz_kpl() {
    fuzz::over("kpl", |message| {
        let record = Bytes::from(aggregate::sealed(message));
        let total = aggregate::user_records(&record).map(|records| records.iter().map(|(_, data)| data.len()).sum());
        assert!(total.unwrap_or(0) <= record.len());
        assert_eq!(aggregate::user_records(&record.slice(..record.len() - 1)), None);
    });
}

/// As it came, and as the content of a gzip.
#[test]
fn fuzz_decompression() {
    fuzz::over("decompression", |data| {
        for data in [data, &gzip(data)] {
            let whole = unpack::unpack(data, Unpack::Decompress);
            let extracted = unpack::unpack(data, Unpack::DecompressAndExtract);
            assert!(extracted.is_err() || whole.is_ok());
        }
    });
}

#[test]
fn fuzz_split() {
    fuzz::over("split", |data| {
        let data = Bytes::copy_from_slice(data);
        for split in
            [Split::Json, Split::Delimited(Bytes::from_static(b"\n")), Split::Delimited(Bytes::from_static(b"}{"))]
        {
            let parts = split.split(&data).unwrap_or_default();
            assert!(parts.len() <= 500 && parts.iter().map(Bytes::len).sum::<usize>() <= data.len());
            assert!(parts.iter().all(|part| !part.is_empty()));
        }
    });
}

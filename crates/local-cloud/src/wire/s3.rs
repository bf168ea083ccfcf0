//! S3's protocol, by `s3s`, over our store.

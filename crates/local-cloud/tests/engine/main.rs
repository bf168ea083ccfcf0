//! The engine through its doors, with requests made by hand: no SDK, no fixed port.

mod anomalies;
mod calls;
mod checksums;
mod control;
mod damage;
mod dependent;
mod descriptors;
mod fuzz;
mod hostile;
mod iam;
mod kept;
mod lifecycle;
mod limits;
mod page;
mod permissions;
mod port;
mod queries;
mod s3;
mod streams;
mod support;
mod versions;

//! Does every record come out? Numbered records go in; what must become of each is known beforehand; the objects are read
//! back; and each delivery stream has to account for all.

pub mod account;
pub mod expect;
pub mod objects;
pub mod send;

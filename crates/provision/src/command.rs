//! One file per command.

pub mod down;
pub mod history;
pub mod init;
pub mod invoke;
pub mod list;
pub mod local;
pub mod outputs;
pub mod render;
pub mod schema;
pub mod status;
pub mod test_transform;
pub mod up;
pub mod validate;
pub mod verify;

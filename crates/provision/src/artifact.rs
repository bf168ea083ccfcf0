//! From a code source to the zip that is uploaded.

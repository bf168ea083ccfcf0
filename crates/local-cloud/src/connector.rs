//! The AWS SDK's HTTP client, in this process: no socket, no port.

//! Fuzz targets: specs and other text from outside. `scripts/fuzz` runs these for longer.

use std::path::Path;

use crate::secret::Secrets;
use crate::spec::{self, LoadOptions};

fn spec(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let read = |text: &str| spec::read(Path::new("provision.yaml"), text, &LoadOptions::default());
    match read(text) {
        Ok(loaded) => {
            let rendered = spec::render(&loaded.stack, &Secrets::default());
            let again = read(&rendered).unwrap_or_else(|wrong| panic!("{}\n{rendered}", wrong.render(false)));
            assert_eq!(spec::render(&again.stack, &Secrets::default()), rendered);
        }
        Err(wrong) => assert!(!wrong.render(false).is_empty()),
    }
}

#[test]
fn fuzz_spec() {
    fuzz::over("spec", spec);
}

//! Packages and interpreters of this machine, which Lambda may not have.

use std::path::PathBuf;
use std::process::Command;

use super::{Ran, Trial};

/// A machine whose python3 has these modules installed. Returns its PATH.
fn machine_with(trial: &Trial, modules: &[(&str, &str)]) -> String {
    let home = trial.path().join("machine");
    let made = Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(&home).status();
    assert!(made.is_ok_and(|status| status.success()), "python3 makes virtual environments");
    let lib = std::fs::read_dir(home.join("lib")).expect("it has libraries").next().expect("of one version");
    let packages: PathBuf = lib.expect("it can be read").path().join("site-packages");
    for (name, text) in modules {
        std::fs::write(packages.join(name), text).expect("the folder is ours");
    }
    format!("{}:{}", home.join("bin").display(), std::env::var("PATH").unwrap_or_default())
}

fn invoke(trial: &Trial, path: &str, code: i32) -> Ran {
    let ran = trial.run_with(&["invoke"], &[("PATH", path)]);
    assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
    ran
}

/// Answers each record with what it imported.
const IMPORTS: &str = "import base64
IMPORT
def handle(event, context):
    data = base64.b64encode(name.encode()).decode()
    return {'records': [{'recordId': record['recordId'], 'result': 'Ok', 'data': data} for record in event['records']]}
";

#[test]
fn a_function_imports_its_own_packages_and_the_sdk_and_no_others_of_this_machine() {
    let trial = Trial::new("pass");
    let modules = [("six.py", "name = 'six of this machine'"), ("greeting.py", "name = 'greeting of this machine'")];
    let path = machine_with(&trial, &modules);
    let import = |module: &str| {
        trial.write("transform/handler.py", &IMPORTS.replace("IMPORT", &format!("from {module} import name")));
    };
    import("greeting");
    let ran = invoke(&trial, &path, 1);
    let said =
        "[greeting is installed on this machine, but it is not in the function's package: name it in requirements.txt]";
    assert!(ran.out.contains("No module named 'greeting'") && ran.out.contains(said), "{}", ran.out);
    import("boto3");
    let ran = invoke(&trial, &path, 1);
    assert!(ran.out.contains("[AWS's runtime has boto3, and this machine has not: pip install boto3]"), "{}", ran.out);
    import("six");
    assert!(invoke(&trial, &path, 0).out.contains("-> Ok six of this machine"));
    trial.write("transform/six.py", "name = 'six of the function'");
    assert!(invoke(&trial, &path, 0).out.contains("-> Ok six of the function"));
}

#[test]
fn node_takes_the_sdk_from_node_path_and_nothing_else() {
    let trial = Trial::new("pass");
    let python = "code: { dir: transform }, runtime: python3.13, handler: handler.handle";
    let node = "code: { dir: transform }, runtime: nodejs24.x, handler: handler.handle";
    trial.write("provision.yaml", &super::SPEC.replace(python, node));
    for name in ["@aws-sdk/client-s3", "greeting"] {
        let folder = trial.path().join("packages").join(name);
        std::fs::create_dir_all(&folder).expect("the folder is ours");
        std::fs::write(folder.join("index.js"), format!("module.exports = '{name}';")).expect("the folder is ours");
    }
    let packages = trial.path().join("packages").display().to_string();
    let invoke = |module: &str| {
        let handler = format!(
            "exports.handle = async (event) => {{
  const data = Buffer.from(require('{module}')).toString('base64');
  return {{ records: event.records.map(({{ recordId }}) => ({{ recordId, result: 'Ok', data }})) }};
}};"
        );
        trial.write("transform/handler.js", &handler);
        trial.run_with(&["invoke"], &[("NODE_PATH", &packages)]).out
    };
    let (sdk, other) = (invoke("@aws-sdk/client-s3"), invoke("greeting"));
    assert!(sdk.contains("-> Ok @aws-sdk/client-s3"), "{sdk}");
    assert!(other.contains("Cannot find") && other.contains("'greeting'"), "{other}");
}

#[test]
fn another_version_of_the_interpreter_is_told_once() {
    let trial = Trial::new("pass");
    let bin = trial.path().join("bin");
    std::fs::create_dir(&bin).expect("the folder is new");
    let python = "#!/bin/sh\n[ \"$1\" = --version ] && exec echo Python 3.1.4\nPATH=$REST exec python3 \"$@\"\n";
    let rest = std::env::var("PATH").unwrap_or_default();
    trial.write("bin/python3", &python.replace("$REST", &format!("'{rest}'")));
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(bin.join("python3"), executable).expect("the file is ours");
    let path = format!("{}:{rest}", bin.display());
    let said = "python3.13 functions run here with python3 3.1.4; results may differ from AWS";
    trial.write("records", "{\"n\":1}");
    trial.write("transform/handler.py", &super::HANDLER.replace("BREAK", "pass"));
    for command in [&["invoke", "--records", "records"][..], &["test-transform", "--cases", "0"]] {
        let ran = trial.run_with(command, &[("PATH", &path)]);
        assert_eq!(ran.out.matches(said).count(), 1, "{}{}", ran.out, ran.err);
    }
}

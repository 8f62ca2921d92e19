//! Which calls the code makes, found in its sources. What is a call of a service is known from the service's SDK: it has a module for each.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A call, as `service:operation`, both as the SDK spells them, such as `dynamodb:update_item`.
pub(crate) type Call = String;

/// Every call that is made anywhere in this package's sources.
pub(crate) fn calls() -> BTreeSet<Call> {
    let operations = operations();
    let mut calls = BTreeSet::new();
    for (folder, text) in folders() {
        for service in services(&text) {
            let known = operations
                .get(&service)
                .unwrap_or_else(|| panic!("{folder} uses aws-sdk-{service}, which is no dependency"));
            let found = made(&text, known);
            assert!(
                !found.is_empty(),
                "{folder} has a client of {service} and makes no call that this test knows"
            );
            calls.extend(found.into_iter().map(|operation| format!("{service}:{operation}")));
        }
    }
    calls
}

/// The action that IAM judges a call by. S3's are not called as its calls are.
pub(crate) fn action(call: &str) -> String {
    let (service, operation) = call.split_once(':').unwrap();
    let name = match (service, operation) {
        ("s3", "head_bucket" | "list_objects" | "list_objects_v2") => "ListBucket".to_owned(),
        ("s3", "head_object") => "GetObject".to_owned(),
        ("s3", "list_object_versions") => "ListBucketVersions".to_owned(),
        ("s3", "delete_objects") => "DeleteObject".to_owned(),
        ("s3", "create_multipart_upload" | "upload_part" | "complete_multipart_upload") => {
            "PutObject".to_owned()
        }
        ("s3", "put_bucket_lifecycle_configuration") => "PutLifecycleConfiguration".to_owned(),
        ("s3", "get_bucket_lifecycle_configuration") => "GetLifecycleConfiguration".to_owned(),
        ("s3", "put_public_access_block") => "PutBucketPublicAccessBlock".to_owned(),
        _ => operation.split('_').map(capital).collect(),
    };
    format!("{service}:{name}")
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_ascii_uppercase() + rest
}

/// The services whose SDK a text uses.
fn services(text: &str) -> BTreeSet<String> {
    let named = text.split("aws_sdk_").skip(1);
    let name = |rest: &str| rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    named.map(name).collect()
}

/// Which of a service's operations a text calls: by a client's method, or by a request that is built first.
fn made(text: &str, operations: &BTreeSet<String>) -> BTreeSet<String> {
    let calls = |operation: &&String| {
        let builder = operation.split('_').map(capital).collect::<String>() + "InputBuilder";
        text.contains(&format!(".{operation}()")) || text.contains(&builder)
    };
    operations.iter().filter(calls).cloned().collect()
}

/// The sources of each folder of `src`, as one text.
fn folders() -> BTreeMap<String, String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = BTreeMap::<String, String>::new();
    for file in rust_files(&src) {
        let inside = file.strip_prefix(&src).unwrap();
        let folder = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        folders.entry(folder).or_default().push_str(&fs::read_to_string(&file).unwrap());
    }
    folders
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| match path.is_dir() {
        true => rust_files(&path),
        false => vec![path],
    };
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    entries.flat_map(of).filter(is_rust).collect()
}

/// The operations of each service whose SDK this package may use, by what the SDK's sources say.
fn operations() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let asked = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--all-features"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let told: Value = serde_json::from_slice(&asked.stdout).unwrap();
    let package = |package: &Value| {
        let service = package["name"].as_str().unwrap().strip_prefix("aws-sdk-")?.to_owned();
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        let modules = fs::read_to_string(manifest.parent().unwrap().join("src/operation.rs")).unwrap();
        let module = |line: &str| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned());
        Some((service, modules.lines().filter_map(module).collect()))
    };
    told["packages"].as_array().unwrap().iter().filter_map(package).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdks_tell_their_operations() {
        let operations = operations();
        assert!(operations["dynamodb"].len() > 50 && operations["dynamodb"].contains("update_item"));
        assert!(operations["kms"].contains("sign") && operations["kms"].contains("schedule_key_deletion"));
    }

    #[test]
    fn a_call_is_found_however_it_is_written() {
        let known = ["get_item", "put_item", "copy_volumes"].map(str::to_owned).into();
        let text = "self.client\n    .get_item()\n    .send()";
        assert_eq!(made(text, &known), ["get_item".to_owned()].into());
        let built = "use aws_sdk_ec2::operation::copy_volumes::builders::CopyVolumesInputBuilder;";
        assert_eq!(made(built, &known), ["copy_volumes".to_owned()].into());
        assert!(made("a.get_item(1); forget_item()", &known).is_empty());
    }

    #[test]
    fn actions_are_called_as_iam_calls_them() {
        for (call, named) in [
            ("dynamodb:update_item", "dynamodb:UpdateItem"),
            ("kms:get_public_key", "kms:GetPublicKey"),
            ("ec2:run_instances", "ec2:RunInstances"),
            ("s3:head_bucket", "s3:ListBucket"),
            ("s3:put_object", "s3:PutObject"),
        ] {
            assert_eq!(action(call), named);
        }
    }
}

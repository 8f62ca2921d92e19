//! An account to judge in: the files with their placeholders filled, the roles that have them, and the things that there are.

use std::path::Path;

use iam_rs::IAMPolicy;

use crate::judge::Thing;

pub(crate) const CELL: &str = "cosmoshub-4/139E3940E64B5491722088D9A0D741628FC826E0";
pub(crate) const TABLE: &str = "arn:aws:dynamodb:eu-central-1:111122223333:table/beam";
pub(crate) const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
pub(crate) const BUCKET: &str = "arn:aws:s3:::our-bucket";
pub(crate) const SENTRY_ROLE: &str = "arn:aws:iam::111122223333:role/beam-sentry";

/// What each placeholder stands for here.
pub(crate) const PLACEHOLDERS: [(&str, &str); 10] = [
    ("SENTRY_ROLE", "beam-sentry"),
    ("REGION", "eu-central-1"),
    ("ACCOUNT", "111122223333"),
    ("TABLE", "beam"),
    ("BUCKET", "our-bucket"),
    ("PREFIX", "beam"),
    ("KEY", "1234abcd-12ab-34cd-56ef-1234567890ab"),
    ("FLEET", "hub"),
    ("CHAIN", "cosmoshub-4"),
    ("VALIDATOR", "139E3940E64B5491722088D9A0D741628FC826E0"),
];

/// Who there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// The pilot of a validator, its register in a table, its key in KMS.
    Validator,
    /// The same with its register in a bucket.
    ValidatorOnS3,
    /// The pilot of a sentry.
    Sentry,
    /// The commander of the fleet.
    Commander,
    /// A person who sets things up, with rights of their own: no file of ours.
    Person,
}

impl Who {
    pub(crate) const PROGRAMS: [Self; 4] =
        [Self::Validator, Self::ValidatorOnS3, Self::Sentry, Self::Commander];

    /// The files that its role is given.
    pub(crate) fn files(self) -> &'static [&'static str] {
        match self {
            Self::Validator => &["pilot-register-policy.json", "pilot-key-policy.json"],
            Self::ValidatorOnS3 => &["pilot-register-s3-policy.json", "pilot-key-policy.json"],
            Self::Sentry => &["sentry-policy.json"],
            Self::Commander => &["commander-policy.json"],
            Self::Person => &[],
        }
    }

    /// What IAM wants allowed for calls of another name: tags that are given as a thing is made, the role of a machine, an object by
    /// its version.
    pub(crate) fn without_a_call(self) -> &'static [&'static str] {
        match self {
            Self::Commander => &["ec2:CreateTags", "iam:PassRole", "s3:GetObjectVersion"],
            Self::Validator | Self::ValidatorOnS3 | Self::Sentry | Self::Person => &[],
        }
    }

    pub(crate) fn policies(self) -> Vec<IAMPolicy> {
        self.files().iter().map(|file| IAMPolicy::from_json(&filled(&text(file))).unwrap()).collect()
    }
}

/// The folder of the files.
pub(crate) fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/aws")
}

pub(crate) fn text(file: &str) -> String {
    std::fs::read_to_string(folder().join(file)).unwrap()
}

/// With every placeholder filled. They are in capitals, and words of their own.
pub(crate) fn filled(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let len = rest.find(|c: char| !word(c)).unwrap_or(rest.len()).max(first.len_utf8());
        let (token, after) = rest.split_at(len);
        let known = PLACEHOLDERS.iter().find(|(name, _)| *name == token);
        out.push_str(known.map_or(token, |(_, value)| value));
        rest = after;
    }
    out
}

/// A thing of EC2's, such as `instance/i-1`.
pub(crate) fn ec2_thing(what: &str) -> Thing {
    let account =
        if ["snapshot/", "image/"].iter().any(|kind| what.starts_with(kind)) { "" } else { "111122223333" };
    Thing::new(format!("arn:aws:ec2:eu-central-1:{account}:{what}"))
        .with("aws:RequestedRegion", "eu-central-1")
}

impl Thing {
    /// It is there, and of that fleet.
    pub(crate) fn of_fleet(self, fleet: &str) -> Self {
        self.with("aws:ResourceTag/beam:fleet", fleet)
    }

    /// It is there, and has that role.
    pub(crate) fn of_role(self, role: &str) -> Self {
        self.with("aws:ResourceTag/beam:role", role)
    }

    /// It is made by the call, with that fleet's tag.
    pub(crate) fn for_fleet(self, fleet: &str) -> Self {
        self.with("aws:RequestTag/beam:fleet", fleet)
    }

    /// It is made by the call, with that role's tag.
    pub(crate) fn for_role(self, role: &str) -> Self {
        self.with("aws:RequestTag/beam:role", role)
    }
}

/// A machine that is there.
pub(crate) fn machine(fleet: &str, role: &str) -> Thing {
    ec2_thing("instance/i-1").of_fleet(fleet).of_role(role)
}

/// The table, asked for items of these cells.
pub(crate) fn items(cells: &[&str]) -> Thing {
    Thing::new(TABLE).with_all("dynamodb:LeadingKeys", cells)
}

/// A signature of a key.
pub(crate) fn signature(key: &str, algorithm: &str, kind: &str) -> Thing {
    Thing::new(key).with("kms:SigningAlgorithm", algorithm).with("kms:MessageType", kind)
}

/// An object of the bucket, which is ours.
pub(crate) fn object(name: &str) -> Thing {
    Thing::new(format!("{BUCKET}/{name}")).with("aws:ResourceAccount", "111122223333")
}

/// The bucket itself.
pub(crate) fn bucket() -> Thing {
    Thing::new(BUCKET).with("aws:ResourceAccount", "111122223333")
}

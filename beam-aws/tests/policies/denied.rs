//! What must never be allowed, whoever asks, and what some may and others not.

use crate::judge::{Ask, Thing, allows};
use crate::world::{
    BUCKET, CELL, KEY, SENTRY_ROLE, TABLE, Who, bucket, ec2_thing as ec2, items, machine, object, signature,
};

fn ask(action: &str, things: impl Into<Vec<Thing>>) -> Ask {
    Ask::new(action, things)
}

fn nobody_may(asks: Vec<Ask>) {
    for ask in asks {
        for who in Who::PROGRAMS {
            assert!(!allows(&who.policies(), &ask), "{who:?} may: {ask:?}");
        }
    }
}

fn may_not(who: Who, asks: Vec<Ask>) {
    for ask in asks {
        assert!(!allows(&who.policies(), &ask), "{who:?} may: {ask:?}");
    }
}

#[test]
fn nobody_takes_the_register_away_or_writes_past_its_condition() {
    let table = || Thing::new(TABLE);
    let cell = format!("{CELL}/signing");
    let of_table = [
        "DeleteTable",
        "UpdateTable",
        "UpdateTimeToLive",
        "UpdateContinuousBackups",
        "RestoreTableFromBackup",
        "RestoreTableToPointInTime",
        "CreateTable",
        "CreateBackup",
        "PutResourcePolicy",
        "CreateGlobalTable",
        "UpdateTableReplicaAutoScaling",
        "ImportTable",
        "TagResource",
        "Scan",
        "PartiQLSelect",
    ];
    let of_item = [
        "DeleteItem",
        "PutItem",
        "BatchWriteItem",
        "BatchGetItem",
        "TransactWriteItems",
        "PartiQLDelete",
        "PartiQLInsert",
        "PartiQLUpdate",
        "Query",
        "ConditionCheckItem",
    ];
    let mut asks: Vec<Ask> = of_table.iter().map(|one| ask(&format!("dynamodb:{one}"), [table()])).collect();
    asks.extend(of_item.iter().map(|one| ask(&format!("dynamodb:{one}"), [items(&[&cell])])));
    nobody_may(asks);
}

#[test]
fn a_validators_pilot_has_its_own_cells_of_that_table_and_no_others() {
    let others = format!("cosmoshub-4/{}/signing", "A".repeat(40));
    let (mine, other_chain) =
        (format!("{CELL}/signing"), format!("{CELL}/signing").replace("hub-4", "hub-5"));
    let mut asks = Vec::new();
    for action in ["dynamodb:GetItem", "dynamodb:UpdateItem"] {
        asks.extend([
            ask(action, [items(&[&others])]),
            ask(action, [items(&[&mine, &others])]),
            ask(action, [items(&[&other_chain])]),
            ask(action, [items(&[&format!("{CELL}/signing2")])]),
            // A request that names no key at all.
            ask(action, [Thing::new(TABLE)]),
            ask(
                action,
                [Thing::new(TABLE.replace("beam", "beam-test")).with_all("dynamodb:LeadingKeys", &[&mine])],
            ),
            ask(
                action,
                [Thing::new(TABLE.replace("1111", "9999")).with_all("dynamodb:LeadingKeys", &[&mine])],
            ),
        ]);
    }
    may_not(Who::Validator, asks);
}

#[test]
fn nobody_puts_over_a_register_object_without_a_condition_or_deletes_one() {
    let cell = || object(&format!("beam/register/{CELL}/signing"));
    let mut asks = vec![ask("s3:PutObject", [cell()])];
    asks.extend(
        [
            "DeleteObject",
            "DeleteObjectVersion",
            "PutObjectAcl",
            "RestoreObject",
            "GetObjectVersion",
            "BypassGovernanceRetention",
        ]
        .map(|one| ask(&format!("s3:{one}"), [cell().with("s3:if-match", "\"1\"")])),
    );
    asks.extend(
        [
            "DeleteBucket",
            "PutBucketPolicy",
            "DeleteBucketPolicy",
            "PutBucketVersioning",
            "PutLifecycleConfiguration",
            "PutReplicationConfiguration",
            "PutBucketAcl",
            "PutBucketPublicAccessBlock",
        ]
        .map(|one| ask(&format!("s3:{one}"), [bucket()])),
    );
    nobody_may(asks);
    let etag = |thing: Thing| thing.with("s3:if-match", "\"1\"");
    let other = format!("beam/register/cosmoshub-4/{}/signing", "A".repeat(40));
    may_not(
        Who::ValidatorOnS3,
        vec![
            ask("s3:PutObject", [etag(object(&other))]),
            ask("s3:GetObject", [object(&other)]),
            ask("s3:PutObject", [etag(object("beam/objects/fleets/hub/nodes.json"))]),
            // The same name, since then somebody else's.
            ask(
                "s3:PutObject",
                [etag(
                    Thing::new(format!("{BUCKET}/beam/register/{CELL}/signing"))
                        .with("aws:ResourceAccount", "999999999999"),
                )],
            ),
        ],
    );
    for who in [Who::Sentry, Who::Commander, Who::Validator] {
        may_not(who, vec![ask("s3:GetObject", [cell()]), ask("s3:PutObject", [etag(cell())])]);
    }
}

#[test]
fn the_key_signs_as_a_validator_does_and_nothing_else_is_done_with_it() {
    let right = || signature(KEY, "ED25519_SHA_512", "RAW");
    let other = KEY.replace("1234abcd", "00000000");
    nobody_may(vec![
        ask("kms:Sign", [signature(&other, "ED25519_SHA_512", "RAW")]),
        ask("kms:Sign", [signature(&KEY.replace("1111", "9999"), "ED25519_SHA_512", "RAW")]),
        ask("kms:Sign", [signature(KEY, "ED25519_PH_SHA_512", "DIGEST")]),
        ask("kms:Sign", [signature(KEY, "ED25519_SHA_512", "DIGEST")]),
        ask("kms:Sign", [signature(KEY, "ECDSA_SHA_256", "RAW")]),
        ask("kms:Sign", [Thing::new(KEY)]),
        ask("kms:GetPublicKey", [Thing::new(other)]),
    ]);
    let never = [
        "DisableKey",
        "EnableKey",
        "ScheduleKeyDeletion",
        "CancelKeyDeletion",
        "PutKeyPolicy",
        "CreateGrant",
        "RevokeGrant",
        "ReplicateKey",
        "ImportKeyMaterial",
        "DeleteImportedKeyMaterial",
        "GetParametersForImport",
        "UpdateAlias",
        "CreateAlias",
        "DeleteAlias",
        "UpdatePrimaryRegion",
        "TagResource",
        "UntagResource",
        "CreateKey",
        "Decrypt",
        "Encrypt",
        "DeriveSharedSecret",
    ];
    nobody_may(never.iter().map(|one| ask(&format!("kms:{one}"), [right()])).collect());
    for who in [Who::Sentry, Who::Commander] {
        may_not(who, vec![ask("kms:Sign", [right()]), ask("kms:GetPublicKey", [Thing::new(KEY)])]);
    }
}

#[test]
fn nobody_ends_a_validator_or_takes_its_disks_or_makes_it_something_else() {
    let validator = || machine("hub", "validator");
    let disk = || ec2("volume/vol-1").of_fleet("hub").of_role("validator");
    let mut asks = Vec::new();
    for action in [
        "TerminateInstances",
        "StopInstances",
        "RebootInstances",
        "ModifyInstanceAttribute",
        "StartInstances",
    ] {
        asks.push(ask(&format!("ec2:{action}"), [validator()]));
    }
    asks.extend([
        ask("ec2:DeleteVolume", [disk()]),
        ask("ec2:DetachVolume", [disk(), validator()]),
        ask("ec2:DetachVolume", [disk(), machine("hub", "sentry")]),
        ask("ec2:AttachVolume", [ec2("volume/vol-2").of_fleet("hub"), validator()]),
        // A validator that is called a sentry could be ended.
        ask("ec2:CreateTags", [validator().for_role("sentry").for_fleet("hub")]),
        ask("ec2:CreateTags", [validator().for_role("sentry").for_fleet("hub").with("ec2:CreateAction", "")]),
        ask("ec2:DeleteTags", [validator()]),
        ask("ec2:ReplaceIamInstanceProfileAssociation", [validator()]),
        ask("ec2:AssociateIamInstanceProfile", [validator()]),
        ask("ec2:GetConsoleOutput", [validator()]),
        ask("ec2-instance-connect:SendSSHPublicKey", [validator()]),
        ask("ssm:SendCommand", [validator()]),
        ask("ssm:StartSession", [validator()]),
    ]);
    nobody_may(asks);
}

#[test]
fn nobody_but_the_commander_touches_ec2_at_all() {
    let asks = || {
        vec![
            ask("ec2:DescribeInstances", [ec2("instance/*")]),
            ask("ec2:TerminateInstances", [machine("hub", "sentry")]),
            ask("ec2:ReleaseAddress", [ec2("elastic-ip/eipalloc-1").of_fleet("hub")]),
            ask("ec2:DisassociateAddress", [ec2("elastic-ip/eipalloc-1").of_fleet("hub")]),
            ask("ec2:DeleteSnapshot", [ec2("snapshot/snap-1").of_fleet("hub")]),
        ]
    };
    for who in [Who::Validator, Who::ValidatorOnS3, Who::Sentry] {
        may_not(who, asks());
    }
}

#[test]
fn the_commander_leaves_other_fleets_and_other_peoples_things_alone() {
    let address = || ec2("elastic-ip/eipalloc-1");
    let (disk, snapshot) = (|| ec2("volume/vol-1"), || ec2("snapshot/snap-1"));
    let mut asks = Vec::new();
    for whose in ["", "hub2", "hu", "*"] {
        let of = |thing: Thing| if whose.is_empty() { thing } else { thing.of_fleet(whose) };
        let sentry = || of(ec2("instance/i-2")).of_role("sentry");
        asks.extend([
            ask("ec2:TerminateInstances", [sentry()]),
            ask("ec2:ReleaseAddress", [of(address())]),
            ask("ec2:DisassociateAddress", [of(address())]),
            ask("ec2:AssociateAddress", [of(address()), machine("hub", "sentry")]),
            ask("ec2:AssociateAddress", [address().of_fleet("hub"), sentry()]),
            ask("ec2:DeleteVolume", [of(disk())]),
            ask("ec2:DetachVolume", [of(disk()), machine("hub", "sentry")]),
            ask("ec2:AttachVolume", [disk().of_fleet("hub"), sentry()]),
            ask("ec2:DeleteSnapshot", [of(snapshot())]),
            ask("ec2:CreateSnapshot", [of(disk()), snapshot().for_fleet("hub")]),
            ask("ec2:CopyVolumes", [of(disk()), ec2("volume/vol-new").for_fleet("hub")]),
        ]);
    }
    // A fleet's machine that does not say what it is.
    asks.push(ask("ec2:TerminateInstances", [ec2("instance/i-3").of_fleet("hub")]));
    asks.push(ask("ec2:TerminateInstances", [machine("hub", "archive")]));
    // Things made without the fleet's tag would be nobody's.
    asks.push(ask("ec2:AllocateAddress", [address()]));
    asks.push(ask("ec2:AllocateAddress", [address().for_fleet("hub2")]));
    asks.push(ask("ec2:CreateSnapshot", [disk().of_fleet("hub"), snapshot()]));
    asks.push(ask("ec2:CreateTags", [address().of_fleet("hub2").for_fleet("hub")]));
    // In another region.
    asks.push(ask(
        "ec2:DescribeInstances",
        [Thing::new("arn:aws:ec2:us-east-1:111122223333:instance/*")
            .with("aws:RequestedRegion", "us-east-1")],
    ));
    may_not(Who::Commander, asks);
}

#[test]
fn the_commander_launches_no_validator_and_nothing_with_another_role_or_with_imdsv1() {
    let launched = |role: &str, tokens: &str| {
        ec2("instance/i-new").for_fleet("hub").for_role(role).with("ec2:MetadataHttpTokens", tokens)
    };
    let to_ec2 = |role: &str, service: &str| {
        ask("iam:PassRole", [Thing::new(role.to_owned()).with("iam:PassedToService", service)])
    };
    may_not(
        Who::Commander,
        vec![
            ask("ec2:RunInstances", [launched("validator", "required")]),
            ask("ec2:RunInstances", [launched("sentry", "optional")]),
            ask("ec2:RunInstances", [ec2("instance/i-new").for_fleet("hub").for_role("sentry")]),
            ask("ec2:RunInstances", [ec2("launch-template/lt-1")]),
            ask("ec2:RunInstances", [ec2("launch-template/lt-1").of_fleet("hub2")]),
            ask("ec2:RunInstances", [ec2("image/ami-1")]),
            to_ec2("arn:aws:iam::111122223333:role/beam-validator", "ec2.amazonaws.com"),
            to_ec2("arn:aws:iam::111122223333:role/beam-sentry-2", "ec2.amazonaws.com"),
            to_ec2("arn:aws:iam::111122223333:role/Administrator", "ec2.amazonaws.com"),
            to_ec2(SENTRY_ROLE, "lambda.amazonaws.com"),
        ],
    );
    assert!(allows(&Who::Commander.policies(), &to_ec2(SENTRY_ROLE, "ec2.amazonaws.com")));
}

#[test]
fn nobody_widens_rights() {
    let role = || Thing::new(SENTRY_ROLE);
    let mut asks: Vec<Ask> = [
        "PutRolePolicy",
        "AttachRolePolicy",
        "DetachRolePolicy",
        "DeleteRolePolicy",
        "UpdateAssumeRolePolicy",
        "CreatePolicyVersion",
        "SetDefaultPolicyVersion",
        "CreateRole",
        "DeleteRole",
        "CreateUser",
        "CreateAccessKey",
        "AddRoleToInstanceProfile",
        "RemoveRoleFromInstanceProfile",
        "PutRolePermissionsBoundary",
        "DeleteRolePermissionsBoundary",
    ]
    .iter()
    .map(|one| ask(&format!("iam:{one}"), [role()]))
    .collect();
    asks.push(ask("sts:AssumeRole", [Thing::new("arn:aws:iam::111122223333:role/beam-validator")]));
    asks.push(ask("ec2:CreateLaunchTemplateVersion", [ec2("launch-template/lt-1").of_fleet("hub")]));
    asks.push(ask("ec2:ModifyLaunchTemplate", [ec2("launch-template/lt-1").of_fleet("hub")]));
    nobody_may(asks);
    for who in [Who::Validator, Who::ValidatorOnS3, Who::Sentry] {
        let pass = Thing::new(SENTRY_ROLE).with("iam:PassedToService", "ec2.amazonaws.com");
        may_not(who, vec![ask("iam:PassRole", [pass])]);
    }
}

#[test]
fn a_sentry_adds_to_the_archive_of_its_fleet_and_reads_nothing() {
    let log = || object("beam/objects/logs/hub/a/1.gz");
    let new = |thing: Thing| thing.with("s3:if-none-match", "*");
    may_not(
        Who::Sentry,
        vec![
            ask("s3:PutObject", [log()]),
            ask("s3:PutObject", [log().with("s3:if-match", "\"1\"")]),
            ask("s3:PutObject", [log().with_flag("s3:ObjectCreationOperation", true)]),
            ask("s3:ListBucket", [bucket().with("s3:prefix", "beam/objects/logs/hub/")]),
            ask("s3:GetObject", [log()]),
            ask("s3:DeleteObject", [log()]),
            ask("s3:PutObject", [new(object("beam/objects/logs/hub2/a/1.gz"))]),
            ask("s3:PutObject", [new(object("beam/objects/fleets/hub/nodes.json"))]),
            ask("s3:PutObject", [new(object(&format!("beam/register/{CELL}/signing")))]),
            ask("dynamodb:GetItem", [items(&[&format!("{CELL}/signing")])]),
            ask("dynamodb:DescribeTable", [Thing::new(TABLE)]),
        ],
    );
}

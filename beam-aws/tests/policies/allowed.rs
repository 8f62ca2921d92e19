//! What the code asks for, call by call: who, on what, and with what in the request. Each must be allowed.

use std::collections::BTreeSet;

use crate::code;
use crate::judge::{Ask, Thing, allows};
use crate::world::{BUCKET, CELL, KEY, TABLE, Who, bucket, ec2_thing, items, machine, object, signature};

/// A call that the code makes.
#[derive(Clone)]
struct Made {
    /// As the sources have it.
    call: &'static str,
    who: Who,
    /// What it touches; more than one thing if it touches them at once.
    things: Vec<Thing>,
}

fn made(call: &'static str, who: Who, things: impl Into<Vec<Thing>>) -> Made {
    Made { call, who, things: things.into() }
}

fn all() -> Vec<Made> {
    let parts = [dynamodb(), s3(), kms(), ec2()];
    parts.into_iter().flatten().collect()
}

fn dynamodb() -> Vec<Made> {
    use Who::{Person, Validator};
    let table = || Thing::new(TABLE);
    let cells = ["signing", "roster", "pause", "history"].map(|cell| format!("{CELL}/{cell}"));
    let each = |call: &'static str| {
        cells.iter().map(move |cell| made(call, Validator, [items(&[cell])])).collect::<Vec<_>>()
    };
    let mut made = vec![
        made("dynamodb:describe_table", Validator, [table()]),
        made("dynamodb:create_table", Person, [table()]),
    ];
    made.extend(each("dynamodb:get_item"));
    made.extend(each("dynamodb:update_item"));
    made
}

fn kms() -> Vec<Made> {
    [Who::Validator, Who::ValidatorOnS3]
        .into_iter()
        .flat_map(|who| {
            [
                made("kms:get_public_key", who, [Thing::new(KEY)]),
                made("kms:sign", who, [signature(KEY, "ED25519_SHA_512", "RAW")]),
            ]
        })
        .collect()
}

fn s3() -> Vec<Made> {
    use Who::{Commander, Person, Sentry, ValidatorOnS3};
    let bare = || Thing::new(BUCKET);
    let cell = || object(&format!("beam/register/{CELL}/signing"));
    let probe = || object("beam/register/probe");
    let log = || object("beam/objects/logs/hub/a/1.gz");
    // S3 asks about no condition on the object before it is one.
    let part = || log().with_flag("s3:ObjectCreationOperation", false);
    let nodes = || object("beam/objects/fleets/hub/nodes.json");
    vec![
        made("s3:head_bucket", ValidatorOnS3, [bucket()]),
        made("s3:get_bucket_versioning", ValidatorOnS3, [bucket()]),
        made("s3:get_object", ValidatorOnS3, [cell()]),
        made("s3:put_object", ValidatorOnS3, [cell().with("s3:if-none-match", "*")]),
        made("s3:put_object", ValidatorOnS3, [cell().with("s3:if-match", "\"1\"")]),
        made("s3:put_object", ValidatorOnS3, [probe().with("s3:if-none-match", "*")]),
        made("s3:put_object", ValidatorOnS3, [probe().with("s3:if-match", "\"0\"")]),
        made("s3:put_object", Sentry, [log().with("s3:if-none-match", "*")]),
        made("s3:create_multipart_upload", Sentry, [part()]),
        made("s3:upload_part", Sentry, [part()]),
        made("s3:complete_multipart_upload", Sentry, [log().with("s3:if-none-match", "*")]),
        made("s3:abort_multipart_upload", Sentry, [log()]),
        made("s3:get_object", Commander, [nodes()]),
        made("s3:head_object", Commander, [nodes()]),
        made("s3:put_object", Commander, [nodes().with("s3:if-match", "\"1\"")]),
        made("s3:delete_object", Commander, [nodes()]),
        made("s3:list_objects_v2", Commander, [bucket().with("s3:prefix", "beam/objects/fleets/hub/")]),
        made(
            "s3:list_object_versions",
            Commander,
            [bucket().with("s3:prefix", "beam/objects/fleets/hub/nodes.json")],
        ),
        // Whoever has credentials may; a person asks once, who makes the first machine.
        made("sts:get_caller_identity", Person, [Thing::new("arn:aws:sts::111122223333:caller")]),
        made("s3:create_bucket", Person, [bare()]),
        made("s3:put_bucket_versioning", Person, [bare()]),
        made("s3:put_bucket_lifecycle_configuration", Person, [bare()]),
    ]
}

fn ec2() -> Vec<Made> {
    [looks(), machines(), addresses(), disks()].concat()
}

/// EC2 knows no single thing in what only asks.
fn looks() -> Vec<Made> {
    let all = || ec2_thing("*/*");
    [
        "ec2:describe_account_attributes",
        "ec2:describe_addresses",
        "ec2:describe_instances",
        "ec2:describe_launch_template_versions",
        "ec2:describe_snapshots",
        "ec2:describe_volumes",
    ]
    .map(|call| made(call, Who::Commander, [all()]))
    .into()
}

/// A template that says what it says: network, image, key pair.
const TEMPLATE: &str = "arn:aws:ec2:eu-central-1:111122223333:launch-template/lt-1";

fn machines() -> Vec<Made> {
    let new = |what: &str| ec2_thing(what).for_fleet("hub").for_role("sentry");
    let named = |what: &str| {
        ec2_thing(what).with("ec2:LaunchTemplate", TEMPLATE).with_flag("ec2:IsLaunchTemplateResource", true)
    };
    let launch = || {
        vec![
            new("instance/i-new").with("ec2:MetadataHttpTokens", "required"),
            new("volume/vol-new"),
            ec2_thing("launch-template/lt-1").of_fleet("hub"),
            named("image/ami-1"),
            named("subnet/subnet-1"),
            named("security-group/sg-1"),
            named("network-interface/eni-new"),
            named("key-pair/k"),
        ]
    };
    let filled = || [launch(), vec![ec2_thing("snapshot/snap-1").of_fleet("hub")]].concat();
    vec![
        made("ec2:run_instances", Who::Commander, launch()),
        made("ec2:run_instances", Who::Commander, filled()),
        made("ec2:terminate_instances", Who::Commander, [machine("hub", "sentry")]),
    ]
}

fn addresses() -> Vec<Made> {
    let address = || ec2_thing("elastic-ip/eipalloc-1").of_fleet("hub");
    let new = || ec2_thing("elastic-ip/eipalloc-new").for_fleet("hub");
    let both = |role: &str| [address(), machine("hub", role)];
    vec![
        made("ec2:allocate_address", Who::Commander, [new()]),
        made("ec2:associate_address", Who::Commander, both("sentry")),
        made("ec2:disassociate_address", Who::Commander, [address()]),
        made("ec2:disassociate_address", Who::Commander, both("sentry")),
        made("ec2:release_address", Who::Commander, [address()]),
    ]
}

fn disks() -> Vec<Made> {
    let disk = || ec2_thing("volume/vol-1").of_fleet("hub");
    let new = || ec2_thing("volume/vol-new").for_fleet("hub");
    let snapshot = || ec2_thing("snapshot/snap-1").of_fleet("hub");
    // A snapshot of a validator's disk is how a new machine begins.
    let validators = || disk().of_role("validator");
    vec![
        made(
            "ec2:create_snapshot",
            Who::Commander,
            [disk(), ec2_thing("snapshot/snap-new").for_fleet("hub")],
        ),
        made(
            "ec2:create_snapshot",
            Who::Commander,
            [validators(), ec2_thing("snapshot/snap-new").for_fleet("hub")],
        ),
        made("ec2:delete_snapshot", Who::Commander, [snapshot()]),
        made("ec2:create_volume", Who::Commander, [new(), snapshot()]),
        made("ec2:copy_volumes", Who::Commander, [disk(), new()]),
        made("ec2:copy_volumes", Who::Commander, [validators(), new()]),
        made("ec2:attach_volume", Who::Commander, [disk(), machine("hub", "sentry")]),
        made("ec2:detach_volume", Who::Commander, [disk(), machine("hub", "sentry")]),
        made("ec2:delete_volume", Who::Commander, [disk()]),
    ]
}

/// What IAM asks about for what has tags from the call that makes it, and for a machine's role.
#[test]
fn what_is_made_has_its_tags_from_the_call_that_makes_it() {
    let policies = Who::Commander.policies();
    for (what, by) in [
        ("instance/i-new", "RunInstances"),
        ("volume/vol-new", "RunInstances"),
        ("volume/vol-new", "CreateVolume"),
        ("volume/vol-new", "CopyVolumes"),
        ("snapshot/snap-new", "CreateSnapshot"),
        ("elastic-ip/eipalloc-new", "AllocateAddress"),
    ] {
        let thing = ec2_thing(what).for_fleet("hub").with("ec2:CreateAction", by);
        assert!(allows(&policies, &Ask::new("ec2:CreateTags", [thing])), "{what} by {by}");
    }
}

#[test]
fn every_call_that_the_code_makes_stands_here_and_nothing_else_does() {
    let listed: BTreeSet<_> = all().into_iter().map(|made| made.call.to_owned()).collect();
    let found = code::calls();
    let missing: Vec<_> = found.difference(&listed).collect();
    assert!(
        missing.is_empty(),
        "the code calls {missing:?}: say here who does, and allow it in examples/aws"
    );
    let idle: Vec<_> = listed.difference(&found).collect();
    assert!(
        idle.is_empty(),
        "the code does not call {idle:?} any more: take it from here and from examples/aws"
    );
}

#[test]
fn who_makes_a_call_may_make_it() {
    for Made { call, who, things } in all() {
        let ask = Ask::new(&code::action(call), things);
        if who != Who::Person {
            assert!(allows(&who.policies(), &ask), "{who:?} may not: {ask:?}");
        }
    }
}

#[test]
fn what_only_a_person_does_no_program_may() {
    for Made { call, things, .. } in all().into_iter().filter(|made| made.who == Who::Person) {
        for who in Who::PROGRAMS {
            let ask = Ask::new(&code::action(call), things.clone());
            assert!(!allows(&who.policies(), &ask), "{who:?} may: {ask:?}");
        }
    }
}

#[test]
fn no_file_allows_what_nobody_asks_for() {
    for who in Who::PROGRAMS {
        let mut asked: BTreeSet<String> =
            all().iter().filter(|made| made.who == who).map(|made| code::action(made.call)).collect();
        asked.extend(who.without_a_call().iter().map(|action| (*action).to_owned()));
        let granted = crate::files::granted(who);
        let idle: Vec<_> = granted.difference(&asked).collect();
        assert!(idle.is_empty(), "{who:?} is given {idle:?}, and asks for none of it");
    }
}

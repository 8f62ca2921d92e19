//! Snapshots of data disks: chain and height are in their tags.

use std::time::SystemTime;

use aws_sdk_ec2::operation::create_snapshot::CreateSnapshotInput;
use aws_sdk_ec2::operation::create_snapshot::builders::CreateSnapshotInputBuilder;
use aws_sdk_ec2::types::{ResourceType, Snapshot as Listed, SnapshotState as State};
use beam_core::cloud_provider::{CloudError, Snapshot, SnapshotId, SnapshotRequest, SnapshotState};
use beam_core::signing::Height;

use super::tags::{self, Tags};

/// A snapshot of a list. `None` if it does not say what it holds: somebody edited its tags, or made it by hand. Nobody can use such a
/// one, and nothing deletes it.
pub(super) fn of(listed: &Listed) -> Option<Snapshot> {
    let tags = Tags::of(listed.tags());
    Some(Snapshot {
        id: SnapshotId::new(listed.snapshot_id()?),
        token: tags.token(),
        chain: tags.get(tags::CHAIN)?.parse().ok()?,
        height: Height(tags.get(tags::HEIGHT)?.parse().ok()?),
        taken: SystemTime::try_from(*listed.start_time()?).ok()?,
        state: state(listed)?,
    })
}

fn state(listed: &Listed) -> Option<SnapshotState> {
    Some(match listed.state()? {
        State::Completed => SnapshotState::Complete,
        State::Error => SnapshotState::Failed,
        // "42%"; EC2 leaves it out at times.
        _ => {
            let percent = listed.progress().and_then(|said| said.trim_end_matches('%').parse().ok());
            SnapshotState::Pending { percent: percent.unwrap_or_default() }
        }
    })
}

/// The request for one.
pub(super) fn take(request: &SnapshotRequest) -> Result<CreateSnapshotInputBuilder, CloudError> {
    let name = format!("{} {}", request.chain, request.height);
    let tags = Tags::new(&request.fleet, &request.token)?
        .with(tags::CHAIN, request.chain.to_string())
        .with(tags::HEIGHT, request.height.0.to_string())
        .with(tags::NAME, &name);
    Ok(CreateSnapshotInput::builder()
        .volume_id(request.volume.as_str())
        .description(name)
        .tag_specifications(tags.for_new(ResourceType::Snapshot)))
}

/// Whether something can be made from it.
pub(super) fn usable(listed: &Listed) -> Result<(), CloudError> {
    let id = listed.snapshot_id().unwrap_or_default();
    match listed.state() {
        Some(State::Completed) => Ok(()),
        Some(State::Error) => Err(CloudError::Invalid(format!("snapshot {id} has failed: take another"))),
        _ => Err(CloudError::NotReady(format!("snapshot {id} is not complete yet"))),
    }
}

/// Whether it may be deleted for good.
pub(super) fn deletable(listed: &Listed) -> Result<(), CloudError> {
    if Tags::of(listed.tags()).ours() {
        return Ok(());
    }
    let id = listed.snapshot_id().unwrap_or_default();
    Err(CloudError::Protected(format!("{id} has no fleet in its tags: it may be nothing of Beam's")))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::primitives::DateTime;
    use aws_sdk_ec2::types::Tag;
    use beam_core::cloud_provider::{FleetTag, Token, VolumeId};

    use super::*;

    fn request() -> SnapshotRequest {
        SnapshotRequest {
            token: Token::new("t-1"),
            fleet: FleetTag::new("hub"),
            volume: VolumeId::new("vol-1"),
            chain: "cosmoshub-4".parse().unwrap(),
            height: Height(21_000_000),
        }
    }

    fn listed(tags: Vec<Tag>, state: State) -> Listed {
        Listed::builder()
            .snapshot_id("snap-1")
            .start_time(DateTime::from_secs(7))
            .state(state)
            .progress("42%")
            .set_tags(Some(tags))
            .build()
    }

    #[test]
    fn what_a_snapshot_is_made_with_is_what_it_is_listed_as() {
        let sent = take(&request()).unwrap().build().unwrap();
        assert_eq!(sent.volume_id(), Some("vol-1"));
        let tags = sent.tag_specifications()[0].tags().to_vec();
        for (is, state) in [
            (State::Completed, SnapshotState::Complete),
            (State::Pending, SnapshotState::Pending { percent: 42 }),
            (State::Error, SnapshotState::Failed),
        ] {
            let wanted = Snapshot {
                id: SnapshotId::new("snap-1"),
                token: Some(Token::new("t-1")),
                chain: request().chain,
                height: request().height,
                taken: SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(7),
                state,
            };
            assert_eq!(of(&listed(tags.clone(), is)), Some(wanted));
        }
    }

    #[test]
    fn one_that_does_not_say_what_it_holds_is_not_listed() {
        let sent = take(&request()).unwrap().build().unwrap();
        for (key, value) in [
            (tags::HEIGHT, None),
            (tags::HEIGHT, Some("high")),
            (tags::HEIGHT, Some("-1")),
            (tags::CHAIN, None),
            (tags::CHAIN, Some("")),
        ] {
            let mut tags = sent.tag_specifications()[0].tags().to_vec();
            tags.retain(|tag| tag.key() != Some(key));
            tags.extend(value.map(|value| Tag::builder().key(key).value(value).build()));
            assert_eq!(of(&listed(tags, State::Completed)), None, "{key} {value:?}");
        }
    }

    #[test]
    fn nothing_is_made_from_one_that_is_not_complete() {
        usable(&listed(vec![], State::Completed)).unwrap();
        assert!(matches!(usable(&listed(vec![], State::Pending)), Err(CloudError::NotReady(_))));
        assert!(matches!(usable(&listed(vec![], State::Error)), Err(CloudError::Invalid(_))));
        let silent = Listed::builder().state(State::Pending).build();
        assert_eq!(state(&silent), Some(SnapshotState::Pending { percent: 0 }));
    }

    #[test]
    fn what_is_not_beams_is_not_deleted() {
        let sent = take(&request()).unwrap().build().unwrap();
        deletable(&listed(sent.tag_specifications()[0].tags().to_vec(), State::Completed)).unwrap();
        let error = deletable(&listed(vec![], State::Completed)).unwrap_err();
        assert!(matches!(&error, CloudError::Protected(said) if said.contains("snap-1")), "{error:?}");
    }
}

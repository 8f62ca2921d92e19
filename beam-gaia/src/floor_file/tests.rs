use std::os::unix::fs::MetadataExt;

use beam_core::id::Lineage;
use beam_core::signing::{Mark, Step};
use beam_core::testing::floor_contract;
use tempfile::TempDir;

use super::*;

fn floor(height: u64) -> Floor {
    let mark = Mark::new(height, 0, Step::Prevote);
    Floor { lineage: Lineage::from_random(1), mark, bytes: vec![7; 180] }
}

fn home() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("floor");
    (folder, path)
}

#[tokio::test]
async fn the_contract_is_kept() {
    let (_folder, path) = home();
    let reopen = || match FloorFile::open(&path) {
        Ok(file) => Ok(Arc::new(file) as Arc<dyn FloorStore>),
        Err(error) => Err(FloorError::Io(Box::new(error))),
    };
    floor_contract::run_all(&reopen).await.unwrap();
}

#[tokio::test]
async fn a_floor_is_there_after_reopening() {
    let (_folder, path) = home();
    for height in 1..6 {
        let file = FloorFile::open(&path).unwrap();
        assert_eq!(file.load().await.unwrap(), (height > 1).then(|| floor(height - 1)));
        file.keep(floor(height)).await.unwrap();
        assert_eq!(file.load().await.unwrap(), Some(floor(height)));
    }
}

#[tokio::test]
async fn keeping_at_once_from_many_tasks_leaves_the_highest() {
    let (_folder, path) = home();
    let file = Arc::new(FloorFile::open(&path).unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for height in [3, 9, 1, 7, 5, 2, 8] {
        let file = file.clone();
        tasks.spawn(async move { file.keep(floor(height)).await });
    }
    assert!(tasks.join_all().await.iter().all(Result::is_ok));
    drop(file);
    assert_eq!(FloorFile::open(&path).unwrap().load().await.unwrap(), Some(floor(9)));
}

#[tokio::test]
async fn only_a_person_lowers_the_floor_or_changes_its_lineage() {
    let (_folder, path) = home();
    let file = FloorFile::open(&path).unwrap();
    file.keep(floor(5)).await.unwrap();
    let other = Floor { lineage: Lineage::from_random(2), ..floor(3) };
    assert!(matches!(file.keep(other.clone()).await, Err(FloorError::OtherLineage)));
    file.replace(other.clone()).await.unwrap();
    drop(file);
    assert_eq!(FloorFile::open(&path).unwrap().load().await.unwrap(), Some(other));
}

#[test]
fn two_signers_on_one_home_are_refused() {
    let (_folder, path) = home();
    let file = FloorFile::open(&path).unwrap();
    let error = FloorFile::open(&path).err().unwrap();
    assert!(matches!(&error, FloorFileError::InUse { path: told } if *told == path), "{error}");
    drop(file);
    assert!(FloorFile::open(&path).is_ok());
}

#[tokio::test]
async fn a_crash_while_the_file_is_made_leaves_none() {
    let whole = Slot { sequence: 0, floor: None }.encode().unwrap().repeat(2);
    for len in [0, 1, slot::LEN, 2 * slot::LEN] {
        let (_folder, path) = home();
        std::fs::write(beside(&path, ".new"), &whole[..len]).unwrap();
        let file = FloorFile::open(&path).unwrap();
        assert_eq!(file.load().await.unwrap(), None);
        file.keep(floor(5)).await.unwrap();
        assert_eq!(file.load().await.unwrap(), Some(floor(5)));
    }
}

#[tokio::test]
async fn the_disks_room_is_taken_when_the_file_is_made() {
    let (_folder, path) = home();
    let file = FloorFile::open(&path).unwrap();
    let made = std::fs::metadata(&path).unwrap();
    assert_eq!((made.len(), made.mode() & 0o777), (2 * slot::LEN as u64, 0o600));
    assert!(made.blocks() * 512 >= made.len(), "{}", made.blocks());
    for height in 1..10 {
        file.keep(floor(height)).await.unwrap();
    }
    assert_eq!(std::fs::metadata(&path).unwrap().len(), made.len());
}

#[tokio::test]
async fn a_damaged_file_says_which_and_what_to_do() {
    let (_folder, path) = home();
    for contents in [vec![], vec![0; 2 * slot::LEN], b"something else".to_vec()] {
        std::fs::write(&path, contents).unwrap();
        let file = FloorFile::open(&path).unwrap();
        let error = file.load().await.unwrap_err();
        assert!(
            matches!(&error, FloorError::Damaged(text) if text.contains(path.to_str().unwrap())),
            "{error}"
        );
        assert!(matches!(file.keep(floor(5)).await, Err(FloorError::Damaged(_))));
        assert!(matches!(file.replace(floor(5)).await, Err(FloorError::Damaged(_))));
    }
}

#[test]
fn a_folder_that_is_not_there_is_told() {
    let (folder, _) = home();
    let error = FloorFile::open(folder.path().join("none/floor")).err().unwrap();
    assert!(matches!(error, FloorFileError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound));
}

#[tokio::test]
async fn bytes_that_do_not_fit_are_refused_and_the_floor_stays() {
    let (_folder, path) = home();
    let file = FloorFile::open(&path).unwrap();
    file.keep(floor(5)).await.unwrap();
    let long = Floor { bytes: vec![0; FloorFile::BYTES_LEN_MAX + 1], ..floor(6) };
    let error = file.keep(long).await.unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("do not fit"), "{error:?}");
    assert_eq!(file.load().await.unwrap(), Some(floor(5)));
}

#[tokio::test]
async fn a_floor_is_looked_at_while_somebody_else_holds_it() {
    let (_folder, path) = home();
    assert!(matches!(FloorFile::peek(&path), Ok(None)), "there is no file");
    let file = FloorFile::open(&path).unwrap();
    assert!(matches!(FloorFile::peek(&path), Ok(None)), "there is no floor in it");
    file.keep(floor(5)).await.unwrap();
    assert_eq!(FloorFile::peek(&path).unwrap(), Some(floor(5)));
    // What cannot be looked at is not taken for no floor.
    assert!(matches!(FloorFile::peek(&path.join("below")), Err(FloorError::Io(_))));
}

#[test]
fn the_folder_of_the_file_is_synced_also_if_the_name_is_bare() {
    assert!(sync_folder(Path::new("floor")).is_ok());
    // And it is the folder that is synced: this one cannot be.
    assert!(sync_folder(Path::new("/proc/self/floor")).is_err());
}

//! Objects that somebody edited or put back: never taken for a cell, nor for none, nor for the one that was there before.

use aws_sdk_s3::primitives::ByteStream;
use beam_aws::s3::Bucket;
use beam_core::register::{Cell, Register as _, RegisterError, SwapError, Version};

use crate::common::{client, key, line, new_store, object, open};

/// What stands in the bucket.
async fn get(bucket: &Bucket) -> Vec<u8> {
    let got = client(bucket).get_object().bucket(&bucket.name).key(object()).send().await.unwrap();
    got.body.collect().await.unwrap().to_vec()
}

/// Somebody writes it.
async fn put(bucket: &Bucket, content: Vec<u8>) {
    let body = ByteStream::from(content);
    client(bucket).put_object().bucket(&bucket.name).key(object()).body(body).send().await.unwrap();
}

fn replaced(content: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(content.to_vec()).unwrap();
    assert!(text.contains(from), "{text}");
    text.replace(from, to).into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_object_is_damage_and_is_never_written_over() {
    let bucket = new_store().await;
    let register = open(&bucket).await.unwrap();
    register.swap(&key(), None, b"value".to_vec()).await.unwrap();
    let whole = get(&bucket).await;
    let big = vec![b'a'; 1024 * 1024];
    for (content, said) in [
        (b"hello".to_vec(), "it does not begin with \"beam cell 1\""),
        (Vec::new(), "it does not begin"),
        (big, "it is longer than a cell may be"),
        (replaced(&whole, "version 1", "version 0"), "its version is \"0\""),
        (replaced(&whole, "version 1", "version 1000"), "it has not the lines, the length or the sum"),
        (replaced(&whole, "\n\nvalue", "\n\nvalve"), "it has not the lines, the length or the sum"),
        (replaced(&whole, "key test-1", "key test-2"), "it is the object of another cell, \"test-2/"),
    ] {
        put(&bucket, content.clone()).await;
        let error = register.read(&key()).await.unwrap_err();
        assert!(matches!(error, RegisterError::Damaged(_)), "{said}: {error:?}");
        let told = line(error);
        assert!(told.contains(said) && told.contains("find out who") && !told.contains('\n'), "{told}");
        // Also by a handle that saw what was there before.
        for expected in [None, Some(Version(1)), Some(Version(3))] {
            let error = register.swap(&key(), expected, vec![1]).await.unwrap_err();
            assert!(matches!(error, SwapError::Failed(_)), "{said}, expecting {expected:?}: {error:?}");
        }
        assert_eq!(get(&bucket).await, content);
    }
    put(&bucket, whole).await;
    assert_eq!(register.read(&key()).await.unwrap().unwrap().value, b"value");
}

/// What a table cannot promise: a version that was reached twice is told apart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_that_was_put_back_and_came_as_far_again_is_not_the_one_that_was_seen() {
    let bucket = new_store().await;
    let (owner, other) = (open(&bucket).await.unwrap(), open(&bucket).await.unwrap());
    owner.swap(&key(), None, vec![1]).await.unwrap();
    let old = get(&bucket).await;
    assert_eq!(owner.swap(&key(), Some(Version(1)), vec![2]).await.unwrap(), Version(2));
    put(&bucket, old).await;
    // The very same value, by another.
    assert_eq!(other.swap(&key(), Some(Version(1)), vec![2]).await.unwrap(), Version(2));
    let error = owner.swap(&key(), Some(Version(2)), vec![3]).await.unwrap_err();
    let there = Cell { version: Version(2), value: vec![2] };
    assert!(matches!(&error, SwapError::Conflict { current } if *current == Some(there)), "{error:?}");
    // Whoever goes on now has read it.
    assert_eq!(owner.swap(&key(), Some(Version(2)), vec![3]).await.unwrap(), Version(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_object_is_none_and_a_swap_that_expects_it_is_told_so() {
    let bucket = new_store().await;
    let register = open(&bucket).await.unwrap();
    register.swap(&key(), None, vec![1]).await.unwrap();
    client(&bucket).delete_object().bucket(&bucket.name).key(object()).send().await.unwrap();
    let error = register.swap(&key(), Some(Version(1)), vec![2]).await.unwrap_err();
    assert!(matches!(error, SwapError::Conflict { current: None }), "{error:?}");
    assert_eq!(register.read(&key()).await.unwrap(), None);
}

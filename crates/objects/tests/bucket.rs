//! Objects in a folder, and what is said of services that cannot be.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::{collections::BTreeMap, ops::Range};

use tandem_app::recordings::{ObjectFault, Objects};
use tandem_objects::Bucket;

async fn bytes(bucket: &dyn Objects, key: &str, range: Range<u64>) -> Vec<u8> {
    let mut chunks = bucket.get(key, range).await.expect("it is there");
    let mut all = Vec::new();
    while let Some(chunk) = chunks.next().await {
        all.extend(chunk.expect("it is read"));
    }
    all
}

#[tokio::test]
async fn what_is_put_is_there_whole_and_in_parts_until_it_is_deleted() {
    let folder = tempfile::tempdir().expect("a folder");
    let bucket = Bucket::folder(&folder.path().join("objects")).expect("a bucket").shared();
    let file = folder.path().join("file");
    // Below one part, and two and a bit.
    for size in [1_000_usize, 20 * 1024 * 1024 + 7] {
        let content: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).expect("small")).collect();
        std::fs::write(&file, &content).expect("written");
        bucket.put("env/2026-11-22/rec_1.wav", &file).await.expect("kept");
        let size = u64::try_from(size).expect("a size");
        assert!(bytes(&*bucket, "env/2026-11-22/rec_1.wav", 0..size).await == content, "what is got is what was put");
        assert_eq!(bytes(&*bucket, "env/2026-11-22/rec_1.wav", 10..20).await, content[10..20]);
        assert!(bytes(&*bucket, "env/2026-11-22/rec_1.wav", 0..0).await.is_empty());
    }
    for _ in 0..2 {
        bucket.delete("env/2026-11-22/rec_1.wav").await.expect("a second time as well");
    }
    let gone = bucket.get("env/2026-11-22/rec_1.wav", 0..10).await.err();
    assert_eq!(gone, Some(ObjectFault::Missing));
    assert_eq!(bucket.put("a", &folder.path().join("nothing")).await, Err(ObjectFault::Missing));
}

#[test]
fn a_service_that_cannot_be_is_refused_in_words() {
    let none = BTreeMap::new();
    let wrong = BTreeMap::from([("aws_sekret".to_owned(), "x".to_owned())]);
    let fault = |url: &str, options| Bucket::service(url, options).err().expect("a fault");
    assert!(fault("nothing", &none).contains("is no URL"));
    assert!(fault("ftp://there/", &none).contains("ftp"));
    assert!(fault("file:///etc", &none).contains("none of s3://"));
    assert_eq!(fault("s3://bucket/recordings", &wrong), "'aws_sekret' is no option of such a service");
    let right = BTreeMap::from([
        ("aws_access_key_id".to_owned(), "a".to_owned()),
        ("aws_secret_access_key".to_owned(), "b".to_owned()),
        ("aws_region".to_owned(), "eu-central-1".to_owned()),
        ("aws_endpoint".to_owned(), "http://127.0.0.1:9000".to_owned()),
        ("aws_allow_http".to_owned(), "true".to_owned()),
    ]);
    assert!(Bucket::service("s3://bucket/recordings", &right).is_ok());
}

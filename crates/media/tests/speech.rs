//! A speech engine as a process, with a script in its place.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use tandem_media::play::{Espeak, Speech, SpeechError, Utterance};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tandem-media-speech-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A program that does this with its arguments and its input.
    fn engine(&self, script: &str, octets: usize) -> Espeak {
        let program = self.0.join("engine");
        fs::write(&program, format!("#!/bin/sh\ncd '{}'\n{script}\n", self.0.display())).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Espeak::new(program, self.0.clone(), 2, octets)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn utterance(text: &str) -> Utterance {
    Utterance { text: text.to_owned(), language: "en-GB".to_owned() }
}

#[tokio::test]
async fn what_the_engine_says_comes_at_the_telephones_rate_and_is_kept_and_its_failures_are_told() {
    let folder = Folder::new("says");
    let spec = hound::WavSpec { channels: 1, sample_rate: 22_050, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut wav = hound::WavWriter::create(folder.0.join("said.wav"), spec).unwrap();
    (0..22_050).for_each(|_| wav.write_sample(5_000i16).unwrap());
    wav.finalize().unwrap();
    let engine = folder.engine("cat >> heard; echo \"$@\" >> arguments; for file; do :; done; cp said.wav \"$file\"", 20_000);
    let sound = engine.say(utterance("--version; your code is 7")).await.unwrap();
    assert_eq!(sound.duration(), Duration::from_secs(1));
    assert!(sound.samples()[4000].abs_diff(5000) < 50);
    assert_eq!(engine.say(utterance("--version; your code is 7")).await.unwrap(), sound);
    engine.say(utterance("two")).await.unwrap();
    engine.say(utterance("--version; your code is 7")).await.unwrap();
    // The second is kept in the place of the first, for which there was no more room.
    assert_eq!(fs::read_to_string(folder.0.join("heard")).unwrap(), "--version; your code is 7two--version; your code is 7");
    let arguments = fs::read_to_string(folder.0.join("arguments")).unwrap();
    assert!(arguments.lines().all(|line| line.starts_with("-v en-gb -b 1 --stdin -w ")), "{arguments}");
    let left: Vec<_> = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "{left:?}");

    // In the same test: a program that is written while another is started would be busy.
    assert!(matches!(folder.engine("cat > /dev/null; exit 3", 0).say(utterance("hello")).await, Err(SpeechError::Failed(_))));
    assert!(matches!(folder.engine("cat > /dev/null; exit 0", 0).say(utterance("hello")).await, Err(SpeechError::Failed(_))));
}

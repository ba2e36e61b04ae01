//! Recordings as calls make them, without a call.

use tandem_app::recordings::{self, StartRecording};
use tandem_domain::recording::{Recording, RecordingKind};
use tandem_kernel::EnvironmentId;

use crate::{Server, until};

/// A WAV file of one channel at 8 kHz.
pub fn wav(samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let length = |count: usize| u32::try_from(count).expect("small").to_le_bytes();
    let mut file = b"RIFF".to_vec();
    file.extend(length(36 + data.len()));
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data");
    file.extend(length(data.len()));
    file.extend(data);
    file
}

/// A recording that could begin, of nothing in particular.
pub fn to_record(environment: EnvironmentId, kind: RecordingKind) -> StartRecording {
    StartRecording {
        environment,
        kind,
        call: None,
        conference: None,
        number: None,
        from: None,
        name: None,
        format: "wav".to_owned(),
        participant: "all".to_owned(),
        keep_days: None,
    }
}

/// Begins a recording and writes its file as far as it goes.
pub async fn recording(server: &Server, start: StartRecording, file: &[u8]) -> Recording {
    let app = server.app();
    let begun = recordings::start(&app, start).await.expect("it begins");
    let path = app.archive.spool().expect("a folder").file(begun.id, &begun.format);
    std::fs::write(path, file).expect("the file is written");
    begun
}

/// Makes a recording of these samples and waits until the object store has it.
pub async fn recorded(server: &Server, start: StartRecording, samples: &[i16]) -> Recording {
    let (app, file) = (server.app(), wav(samples));
    let begun = recording(server, start, &file).await;
    let size = (i64::try_from(file.len()).expect("small"), i64::try_from(samples.len() / 8).expect("small"));
    recordings::stop(&app, begun.environment, begun.id, size).await.expect("it ends");
    whole(server, &begun).await
}

/// Waits until nothing becomes of a recording any more.
pub async fn whole(server: &Server, recording: &Recording) -> Recording {
    let id = recording.id;
    until("the recording is over", || async {
        let found = server.app().store.read(move |tx| tandem_store::repo::recordings::of_ids(tx, &[id])).await.expect("read");
        found.into_iter().next().filter(|found| found.state.is_over())
    })
    .await
}

//! What is played: prompts, tones, music, speech.

mod music;
mod prompt;
mod speech;
mod tones;
mod wav;

pub use music::hold_music;
pub use prompt::{Part, Prompt, Repeat, Sound};
pub use speech::{Espeak, NoSpeech, Speech, SpeechError, Utterance};
pub use tones::{Signal, Tone};
pub use wav::WavFault;

pub(crate) use prompt::Cursor;

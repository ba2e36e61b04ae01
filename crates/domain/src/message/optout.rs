//! The words by which somebody says that they want no more messages from a number, or want them again, or asks what this is.

/// What a word asks for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Wish {
    /// No more messages.
    Stop,
    /// Messages again.
    Start,
    /// An explanation.
    Help,
}

/// The language of a word, in which it is answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Language {
    /// English.
    En,
    /// Spanish.
    Es,
    /// French.
    Fr,
    /// German.
    De,
    /// Portuguese.
    Pt,
}

/// Without accents, in capitals. A word that several languages have stands under the first.
const WORDS: &[(Language, Wish, &[&str])] = &[
    (Language::En, Wish::Stop, &["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"]),
    (Language::Es, Wish::Stop, &["PARAR", "BAJA", "ALTO", "CANCELAR", "DETENER"]),
    (Language::Fr, Wish::Stop, &["ARRET", "ARRETER", "ARRETEZ", "DESABONNER", "DESINSCRIRE"]),
    (Language::De, Wish::Stop, &["STOPP", "ABMELDEN", "ABBESTELLEN", "BEENDEN"]),
    (Language::Pt, Wish::Stop, &["PARE", "SAIR", "DESCADASTRAR", "REMOVER"]),
    (Language::En, Wish::Start, &["START", "UNSTOP", "SUBSCRIBE", "OPTIN"]),
    (Language::Es, Wish::Start, &["INICIAR", "ALTA", "COMENZAR", "EMPEZAR"]),
    (Language::Fr, Wish::Start, &["DEMARRER", "REPRENDRE", "ABONNER"]),
    (Language::De, Wish::Start, &["STARTEN", "ANMELDEN"]),
    (Language::Pt, Wish::Start, &["COMECAR", "VOLTAR"]),
    (Language::En, Wish::Help, &["HELP", "INFO"]),
    (Language::Es, Wish::Help, &["AYUDA"]),
    (Language::Fr, Wish::Help, &["AIDE"]),
    (Language::De, Wish::Help, &["HILFE"]),
    (Language::Pt, Wish::Help, &["AJUDA"]),
];

/// The longest of them is shorter: more letters need not be looked at.
const LONGEST: usize = 16;

/// What an incoming text asks for: its first word says, whatever its case and accents.
#[must_use]
pub fn wish(text: &str) -> Option<(Wish, Language)> {
    let word: String = text.trim_start_matches(|c: char| !c.is_alphanumeric()).chars().take(LONGEST).collect();
    let word: String = word.chars().map(fold).take_while(char::is_ascii_alphanumeric).collect();
    let listed = WORDS.iter().find(|(_, _, words)| words.contains(&word.as_str()));
    listed.map(|(language, wish, _)| (*wish, *language))
}

/// A letter as a capital without its accent.
fn fold(c: char) -> char {
    match c {
        'à'..='å' | 'À'..='Å' => 'A',
        'ç' | 'Ç' => 'C',
        'è'..='ë' | 'È'..='Ë' => 'E',
        'ì'..='ï' | 'Ì'..='Ï' => 'I',
        'ñ' | 'Ñ' => 'N',
        'ò'..='ö' | 'Ò'..='Ö' => 'O',
        'ù'..='ü' | 'Ù'..='Ü' => 'U',
        other => other.to_ascii_uppercase(),
    }
}

/// What is answered: in letters of GSM 03.38, so that it fits into one segment.
#[must_use]
pub const fn reply(wish: Wish, language: Language) -> &'static str {
    match (wish, language) {
        (Wish::Stop, Language::En) => "You get no more messages from this number. Reply START to get them again.",
        (Wish::Stop, Language::Es) => "No recibira mas mensajes de este numero. Responda INICIAR para volver a recibirlos.",
        (Wish::Stop, Language::Fr) => {
            "Vous ne recevrez plus de messages de ce numéro. Répondez DEMARRER pour en recevoir à nouveau."
        }
        (Wish::Stop, Language::De) => "Sie erhalten keine Nachrichten mehr von dieser Nummer. Mit STARTEN erhalten Sie sie wieder.",
        (Wish::Stop, Language::Pt) => "Voce nao recebe mais mensagens deste numero. Responda VOLTAR para receber de novo.",
        (Wish::Start, Language::En) => "You get messages from this number again. Reply STOP to end them.",
        (Wish::Start, Language::Es) => "Vuelve a recibir mensajes de este numero. Responda PARAR para no recibir mas.",
        (Wish::Start, Language::Fr) => "Vous recevez à nouveau les messages de ce numéro. Répondez ARRET pour ne plus en recevoir.",
        (Wish::Start, Language::De) => "Sie erhalten wieder Nachrichten von dieser Nummer. Mit STOPP beenden Sie das.",
        (Wish::Start, Language::Pt) => "Voce volta a receber mensagens deste numero. Responda SAIR para parar.",
        (Wish::Help, Language::En) => "This number sends messages on behalf of its owner. Reply STOP to get no more.",
        (Wish::Help, Language::Es) => "Este numero envia mensajes en nombre de su titular. Responda PARAR para no recibir mas.",
        (Wish::Help, Language::Fr) => "Ce numéro envoie des messages pour son titulaire. Répondez ARRET pour ne plus en recevoir.",
        (Wish::Help, Language::De) => "Diese Nummer sendet Nachrichten für ihren Inhaber. Mit STOPP erhalten Sie keine mehr.",
        (Wish::Help, Language::Pt) => "Este numero envia mensagens em nome do seu titular. Responda SAIR para parar.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::segment;

    #[test]
    fn the_first_word_counts_in_any_case_and_with_any_accent() {
        for (text, expected) in [
            ("STOP", Some((Wish::Stop, Language::En))),
            (" stop.", Some((Wish::Stop, Language::En))),
            ("Stop, please", Some((Wish::Stop, Language::En))),
            ("\"stop\"", Some((Wish::Stop, Language::En))),
            ("Arrêt", Some((Wish::Stop, Language::Fr))),
            ("DÉMARRER", Some((Wish::Start, Language::Fr))),
            ("começar já", Some((Wish::Start, Language::Pt))),
            ("Stopp!", Some((Wish::Stop, Language::De))),
            ("baja", Some((Wish::Stop, Language::Es))),
            ("hilfe", Some((Wish::Help, Language::De))),
            ("info", Some((Wish::Help, Language::En))),
            ("unstop", Some((Wish::Start, Language::En))),
            ("stopping by later", None),
            ("please stop", None),
            ("nonstop", None),
            ("", None),
            ("…", None),
            ("STOPSTOPSTOPSTOPSTOPSTOP", None),
        ] {
            assert_eq!(wish(text), expected, "{text}");
        }
    }

    #[test]
    fn every_word_is_found_and_stands_once() {
        let all: Vec<_> =
            WORDS.iter().flat_map(|(language, wish, words)| words.iter().map(move |word| (word, *wish, *language))).collect();
        for (word, asked, language) in &all {
            assert_eq!(wish(word), Some((*asked, *language)), "{word}");
            assert!(word.len() < LONGEST);
        }
    }

    #[test]
    fn every_answer_fits_into_one_segment_and_names_a_word_that_works() {
        for (language, asked, _) in WORDS {
            let text = reply(*asked, *language);
            assert!(segment::cut(text).expect(text).parts.len() == 1, "{text}");
            let words: Vec<_> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 3).collect();
            let undo = if *asked == Wish::Stop { Wish::Start } else { Wish::Stop };
            assert!(
                words.iter().any(|word| word.to_uppercase() == **word && wish(word).is_some_and(|(found, _)| found == undo)),
                "{text}"
            );
        }
    }
}

use std::path::PathBuf;

use super::*;

/// A file of its own for each test.
fn file(name: &str, text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("tandem-config-{name}-{}.toml", std::process::id()));
    std::fs::write(&path, text).expect("the file is written");
    path
}

fn loaded(name: &str, text: &str) -> crate::Result<Loaded> {
    let path = file(name, text);
    let loaded = load(Some(&path), &Flags::default());
    std::fs::remove_file(path).expect("it is there");
    loaded
}

const DOCUMENTED: &str = include_str!("../../../../packaging/tandem.toml");

#[test]
fn the_documented_file_says_the_defaults() {
    let loaded = loaded("documented", DOCUMENTED).expect("it is read");
    assert_eq!(loaded.config, Config::default());
}

#[test]
fn the_documented_file_has_every_setting() {
    let loaded = loaded("complete", DOCUMENTED).expect("it is read");
    let mut table = String::new();
    let mut documented = Vec::new();
    for line in DOCUMENTED.lines() {
        let line = line.trim_start_matches("# ");
        match (line.strip_prefix('['), line.split_once(" = ")) {
            (Some(name), _) => table = format!("{}.", name.trim_end_matches(']')),
            (None, Some((key, _))) if !key.contains(' ') => documented.push(format!("{table}{key}")),
            _ => {}
        }
    }
    documented.sort();
    let mut known: Vec<String> = loaded.listing().into_iter().map(|(key, ..)| key).collect();
    known.sort();
    assert_eq!(documented, known);
}

#[test]
fn the_command_line_wins_over_the_file_and_the_origin_is_known() {
    let path = file("origin", "listen = \"127.0.0.1:1\"\n[business]\nport_fee = 7\n");
    let flags = Flags { listen: Some("127.0.0.1:2".to_owned()), ..Flags::default() };
    let loaded = load(Some(&path), &flags).expect("it is read");
    std::fs::remove_file(&path).expect("it is there");
    assert_eq!((loaded.config.listen.as_str(), loaded.config.business.port_fee), ("127.0.0.1:2", Amount(7_000_000)));
    let listing = loaded.listing();
    let of = |key: &str| listing.iter().find(|(known, ..)| known == key).map(|(_, value, origin)| (value.as_str(), origin.clone()));
    assert_eq!(of("listen"), Some(("127.0.0.1:2", "command line".to_owned())));
    assert_eq!(of("business.port_fee"), Some(("7", path.display().to_string())));
    assert_eq!(of("log.level"), Some(("info", "default".to_owned())));
    assert_eq!(of("hosts.audian"), Some(("-", "default".to_owned())));
    assert_eq!(of("voice.calls"), Some(("2000", "default".to_owned())), "numbers without a sign are shown");
}

#[test]
fn an_unknown_setting_names_the_nearest() {
    for (text, message, hint) in [
        ("lisen = 1", "there is no setting 'lisen'", "did you mean 'listen'?"),
        ("[tls]\ncertficate = \"a\"", "there is no setting 'certficate' in [tls]", "did you mean 'certificate'?"),
        ("[log]\nwhatever = 1", "there is no setting 'whatever' in [log]", "the keys there are level, format"),
    ] {
        let failure = loaded("unknown", text).expect_err(text);
        assert!(failure.message.ends_with(message), "{failure}");
        assert_eq!(failure.hint.as_deref(), Some(hint));
    }
}

#[test]
fn what_cannot_be_is_refused_in_words() {
    for (text, part) in [
        ("[limits]\nrequests = \"many\"", "limits.requests: invalid type: found string \"many\", expected u32"),
        ("[business]\nport_fee = 0.0000001", "business.port_fee: invalid value"),
        ("[business]\nport_fee = \"-1\"", "business.port_fee: invalid value"),
        ("[tls]\nkey = \"a\"", "only one of them is set"),
        ("[log]\nlevel = \"loud\"", "log.level: 'loud' is no level"),
        ("[log]\nlevel = \"info,tandem_app=all\"", "log.level: 'all' is no level"),
        ("database = \"mysql://a\"", "'mysql://a' is no database URL"),
        ("listen = ", "TOML"),
    ] {
        let failure = loaded("wrong", text).expect_err(text).to_string();
        assert!(failure.contains(part), "{failure}");
    }
    assert!(load(Some(Path::new("nowhere.toml")), &Flags::default()).is_err());
}

#[test]
fn passwords_are_not_shown() {
    for (url, shown) in [
        ("postgres://ann:secret@db:5432/tandem?sslmode=disable", "postgres://ann:***@db:5432/tandem?sslmode=disable"),
        ("postgres://db/tandem?user=ann&password=secret", "postgres://db/tandem?user=ann&password=***"),
        ("postgres://ann@db/tandem", "postgres://ann@db/tandem"),
        ("sqlite:/var/lib/tandem/a:b@c.sqlite", "sqlite:/var/lib/tandem/a:b@c.sqlite"),
    ] {
        assert_eq!(without_password(url), shown);
    }
}

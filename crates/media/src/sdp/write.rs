//! Writing a description.

use std::fmt;

use super::{Address, Attribute, Description};

/// The text with CRLF at the end of every line. A line break within a part is left out: nothing that a part holds becomes a line.
impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = &self.origin;
        let (user, session, version) = (Plain(&origin.user), Plain(&origin.session), Plain(&origin.version));
        write!(f, "v=0\r\no={user} {session} {version} {}\r\ns={}\r\n", origin.address, Plain(&self.name))?;
        if let Some(connection) = &self.connection {
            write!(f, "c={connection}\r\n")?;
        }
        f.write_str("t=0 0\r\n")?;
        self.attributes.iter().try_for_each(|attribute| attribute.fmt(f))?;
        for section in &self.media {
            write!(f, "m={} {} {}", Plain(&section.kind), section.port, Plain(&section.protocol))?;
            section.formats.iter().try_for_each(|format| write!(f, " {}", Plain(format)))?;
            f.write_str("\r\n")?;
            if let Some(connection) = &section.connection {
                write!(f, "c={connection}\r\n")?;
            }
            section.attributes.iter().try_for_each(|attribute| attribute.fmt(f))?;
        }
        Ok(())
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "a={}:{}\r\n", Plain(&self.name), Plain(value)),
            None => write!(f, "a={}\r\n", Plain(&self.name)),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = if self.is_v6() { "IP6" } else { "IP4" };
        match self {
            Self::Ip(ip) => write!(f, "IN {family} {ip}"),
            Self::Name { name, .. } => write!(f, "IN {family} {}", Plain(name)),
        }
    }
}

/// A text without line breaks.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.split(['\r', '\n']).try_for_each(|part| f.write_str(part))
    }
}

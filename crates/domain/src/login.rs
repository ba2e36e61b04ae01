//! People who may sign in, and what they may do there.

use tandem_kernel::{EnvironmentId, LoginId, PropertyId, Timestamp};

use crate::words::words;

words! {
    /// What somebody may do in an account or a property, by the names that the Fone Dynamics API gives it.
    Right {
        /// Configure numbers.
        Manage = "Manage",
        /// Read calls and statistics.
        Reporting = "Reporting",
        /// Send messages.
        ManageSms = "ManageSms",
        /// Read messages.
        ReportingSms = "ReportingSms",
        /// Configure integrations.
        Integrations = "Integrations",
        /// Read and pay bills.
        Billing = "Billing",
        /// Make and change projects.
        ProjectManagement = "ProjectManagement",
        /// Make and change logins.
        UserManagement = "UserManagement",
        /// Configure SIP.
        SipManagement = "SipManagement",
        /// Order numbers for messages.
        ProvisionSms = "ProvisionSms",
        /// Read outbound calls.
        OutboundCallReporting = "OutboundCallReporting",
        /// Give numbers back.
        DisconnectNumbers = "DisconnectNumbers",
        /// Everything.
        Admin = "Admin",
    }
}

/// A set of rights.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rights(u16);

impl Rights {
    /// Reads rights that are separated by commas, in any case of letters; `None` where one is unknown or there is none at all.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let known = |word: &str| Right::ALL.iter().copied().find(|right| right.as_str().eq_ignore_ascii_case(word.trim()));
        text.split(',').map(known).collect::<Option<Vec<_>>>().map(|rights| rights.into_iter().collect())
    }

    /// Whether the set has `right`.
    #[must_use]
    pub const fn has(self, right: Right) -> bool {
        self.0 & (1 << right as u16) != 0
    }

    /// Separated by commas, in the documented order.
    #[must_use]
    pub fn to_text(self) -> String {
        let words = Right::ALL.iter().filter(|right| self.has(**right)).map(|right| right.as_str());
        words.collect::<Vec<_>>().join(",")
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        Self(rights.into_iter().fold(0, |set, right| set | (1 << right as u16)))
    }
}

/// What somebody may do, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Permission {
    /// The property that it is about; none for the whole account.
    pub property: Option<PropertyId>,
    /// What they may do.
    pub rights: Rights,
}

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Its id.
    pub id: LoginId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// By which its owner signs in.
    pub email: String,
    /// What is kept of the password (a PHC string of Argon2id).
    pub password: String,
    /// Its owner's given name.
    pub first_name: String,
    /// Its owner's family name.
    pub last_name: String,
    /// Whether its owner may sign in.
    pub enabled: bool,
    /// What its owner may do.
    pub permissions: Vec<Permission>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_read_in_any_case_and_written_in_order() {
        let rights = Rights::parse("reporting, Manage,ADMIN").expect("rights");
        assert_eq!(rights.to_text(), "Manage,Reporting,Admin");
        assert!(rights.has(Right::Admin) && !rights.has(Right::Billing));
        for bad in ["", "Manage,", "Everything", "Manage;Reporting"] {
            assert_eq!(Rights::parse(bad), None, "{bad}");
        }
    }
}

//! The group "Coder": the server where accounts are created.

use super::SettingProblem;
use super::reader::{Faulty, Reader};
use super::{CoderAddress, addresses};
use crate::domain::Secret;

/// How Coder is called.
#[derive(Clone, Debug)]
pub struct CoderConfig {
    /// Where its API and its login page are.
    pub address: CoderAddress,
    /// The session token of the service.
    pub key: Secret,
    /// Domain of the students' e-mail addresses.
    pub email_domain: String,
}

impl CoderConfig {
    /// The effective value of a setting of this group, if it may differ from the written one.
    pub(super) fn effective(&self, name: &str) -> Option<String> {
        Some(match name {
            "CODER_API_URL" => self.address.api.clone(),
            "CODER_EMAIL_DOM" => self.email_domain.clone(),
            _ => return None,
        })
    }
}

/// Reads the group.
pub(super) fn read(r: &mut Reader) -> Result<CoderConfig, Faulty> {
    let address = r.value("CODER_API_URL", CoderAddress::parse);
    let key = r.required("CODER_API_KEY");
    if !key.is_empty() && !addresses::is_header_value(&key) {
        r.fault(
            "CODER_API_KEY",
            SettingProblem::new(
                "contains spaces or characters that no token has",
                "copy it again",
            ),
        );
    }
    let email_domain = r.value("CODER_EMAIL_DOM", addresses::email_domain);
    if address.as_ref().is_ok_and(CoderAddress::is_exposed) {
        r.warn(
            "CODER_API_URL is http, so the token and all passwords cross the network unencrypted",
            "give Coder an https address, and set CODER_API_URL to it",
        );
    }
    Ok(CoderConfig {
        address: address?,
        key: Secret::new(key),
        email_domain: email_domain?,
    })
}

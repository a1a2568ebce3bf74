//! Phone numbers and short codes of an account.

use serde::Deserialize;

use super::pages::{ListRows, PAGE_SIZE};
use super::wire::plain;
use super::{Account, SmsError, Target};

/// A number of the account, or a short code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// Its SID.
    pub sid: String,
    /// The number in E.164, or the digits of the short code.
    pub number: String,
    /// Whether it can receive and send texts; `None` = not reported.
    pub sms: Option<bool>,
    /// Where it sends texts.
    pub target: Target,
    /// Its texts go to a TwiML application instead.
    pub by_application: bool,
}

#[derive(Deserialize)]
struct NumberBody {
    sid: Option<String>,
    #[serde(alias = "short_code")]
    phone_number: Option<String>,
    sms_url: Option<String>,
    sms_method: Option<String>,
    sms_application_sid: Option<String>,
    capabilities: Option<Capabilities>,
}

#[derive(Deserialize)]
struct Capabilities {
    sms: Option<bool>,
}

impl NumberBody {
    fn read(self) -> Option<Number> {
        Some(Number {
            sid: plain(&self.sid?),
            number: plain(&self.phone_number?),
            sms: self.capabilities.and_then(|able| able.sms),
            target: Target::new(self.sms_url, self.sms_method),
            by_application: self.sms_application_sid.is_some_and(|sid| !sid.is_empty()),
        })
    }
}

impl Account {
    /// The account's numbers: all, or those that match `one`.
    ///
    /// # Errors
    /// The call failed.
    pub fn numbers(&self, one: Option<&str>) -> Result<ListRows<Number>, SmsError> {
        const OPERATION: &str = "look up the account's numbers";
        let query = query("PhoneNumber", one);
        let url = format!("{}/IncomingPhoneNumbers.json?{query}", self.account);
        let listed = self.list(OPERATION, &url, "incoming_phone_numbers")?;
        Ok(listed.map(NumberBody::read))
    }

    /// The account's short codes that match `code`.
    ///
    /// # Errors
    /// The call failed.
    pub fn short_codes(&self, code: &str) -> Result<ListRows<Number>, SmsError> {
        const OPERATION: &str = "look up the short code";
        let query = query("ShortCode", Some(code));
        let url = format!("{}/SMS/ShortCodes.json?{query}", self.account);
        let listed = self.list(OPERATION, &url, "short_codes")?;
        // Every short code can send and receive texts.
        let able = |body: NumberBody| {
            let read = body.read()?;
            Some(Number {
                sms: Some(true),
                ..read
            })
        };
        Ok(listed.map(able))
    }
}

fn query(name: &str, value: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(value) = value {
        query.append_pair(name, value);
    }
    query.append_pair("PageSize", &PAGE_SIZE.to_string());
    query.finish()
}

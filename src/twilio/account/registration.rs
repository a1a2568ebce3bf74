//! The registration of an account's numbers with carriers: brand and campaign (A2P 10DLC),
//! toll-free verification.

use serde::Deserialize;
use serde_json::Value;

use super::pages::{ListRows, PAGE_SIZE};
use super::wire::{plain, word};
use super::{Account, Number, SmsError};
use crate::twilio::error_message::Message;
use crate::twilio::wire::code;

/// A campaign: the registration of the texts that a Messaging Service sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// Its state (`VERIFIED`, `IN_PROGRESS`, `PENDING`, `FAILED`, `SUSPENDED`); empty = not
    /// reported.
    pub status: String,
    /// It is a mock one for tests, which is not registered with carriers.
    pub mock: bool,
    /// It was registered elsewhere, and its brand is not at Twilio.
    pub elsewhere: bool,
    /// The SID of its brand.
    pub brand: Option<String>,
    /// What is wrong with it, in Twilio's words.
    pub reason: Option<Message>,
    /// Twilio's codes of everything that is wrong with it.
    pub codes: Vec<u32>,
}

/// A brand: the organization behind a campaign, as registered with the carriers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brand {
    /// Its state (`APPROVED`, `PENDING`, `IN_REVIEW`, `FAILED`, `SUSPENDED`, `DELETION_...`).
    pub status: String,
    /// It is a mock one for tests, which is not registered with carriers.
    pub mock: bool,
    /// What is wrong with it, in Twilio's words.
    pub reason: Option<Message>,
}

/// The verification of a toll-free number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Its state (`TWILIO_APPROVED`, `PENDING_REVIEW`, `IN_REVIEW`, `TWILIO_REJECTED`).
    pub status: String,
    /// What is wrong with it, in Twilio's words.
    pub reason: Option<Message>,
    /// Twilio's codes of what is wrong with it.
    pub codes: Vec<u32>,
}

#[derive(Deserialize)]
struct CampaignBody {
    campaign_status: Option<String>,
    mock: Option<bool>,
    is_externally_registered: Option<bool>,
    brand_registration_sid: Option<String>,
    /// Objects whose fields Twilio does not document.
    errors: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct BrandBody {
    status: Option<String>,
    mock: Option<bool>,
    failure_reason: Option<String>,
}

#[derive(Deserialize)]
struct VerificationBody {
    tollfree_phone_number_sid: Option<String>,
    tollfree_phone_number: Option<String>,
    status: Option<String>,
    #[serde(default, deserialize_with = "code")]
    error_code: Option<u32>,
    rejection_reason: Option<String>,
}

impl CampaignBody {
    fn read(self) -> Campaign {
        let errors = self.errors.unwrap_or_default();
        let codes = errors
            .iter()
            .filter_map(|error| code(&error["error_code"]).ok().flatten());
        let codes: Vec<u32> = codes.collect();
        let first = errors.first().unwrap_or(&Value::Null);
        let words = first["description"].as_str().map(str::to_owned);
        let reason = reason(code(&first["error_code"]).ok().flatten(), words);
        Campaign {
            status: word(self.campaign_status),
            mock: self.mock.unwrap_or(false),
            elsewhere: self.is_externally_registered.unwrap_or(false),
            brand: self.brand_registration_sid.map(|sid| plain(&sid)),
            reason,
            codes,
        }
    }
}

impl Account {
    /// The campaigns of a Messaging Service.
    ///
    /// # Errors
    /// The call failed.
    pub fn campaigns(&self, service: &str) -> Result<ListRows<Campaign>, SmsError> {
        const OPERATION: &str = "look up the A2P campaign";
        let base = &self.messaging;
        let url = format!("{base}/Services/{service}/Compliance/Usa2p?PageSize={PAGE_SIZE}");
        match self.list(OPERATION, &url, "compliance") {
            // Twilio answers 404 for a service that never had a campaign.
            Err(error) if error.status == Some(404) && error.code.is_some() => Ok(ListRows {
                rows: Vec::new(),
                complete: true,
            }),
            listed => Ok(listed?.map(|body: CampaignBody| Some(body.read()))),
        }
    }

    /// The brand with this SID; `None` = Twilio does not have it.
    ///
    /// # Errors
    /// The call failed.
    pub fn brand(&self, sid: &str) -> Result<Option<Brand>, SmsError> {
        const OPERATION: &str = "look up the brand";
        let url = format!("{}/a2p/BrandRegistrations/{sid}", self.messaging);
        let found: Option<BrandBody> = self.find(OPERATION, &url)?;
        Ok(found.map(|body| Brand {
            status: word(body.status),
            mock: body.mock.unwrap_or(false),
            reason: reason(None, body.failure_reason),
        }))
    }

    /// The verifications of a toll-free number.
    ///
    /// # Errors
    /// The call failed.
    pub fn verifications(&self, number: &Number) -> Result<ListRows<Verification>, SmsError> {
        const OPERATION: &str = "look up the toll-free verification";
        let (base, sid) = (&self.messaging, &number.sid);
        let url = format!(
            "{base}/Tollfree/Verifications?TollfreePhoneNumberSid={sid}&PageSize={PAGE_SIZE}"
        );
        let ListRows { rows, complete } =
            self.list::<VerificationBody>(OPERATION, &url, "verifications")?;
        let is_of_number = |body: &VerificationBody| match &body.tollfree_phone_number_sid {
            Some(named) => named == sid,
            None => body.tollfree_phone_number.as_ref() == Some(&number.number),
        };
        let read = |body: VerificationBody| Verification {
            status: word(body.status),
            codes: body.error_code.into_iter().collect(),
            reason: reason(body.error_code, body.rejection_reason),
        };
        Ok(ListRows {
            rows: rows.into_iter().filter(is_of_number).map(read).collect(),
            complete,
        })
    }
}

fn reason(code: Option<u32>, words: Option<String>) -> Option<Message> {
    let code = code.map(|code| format!("{code} ")).unwrap_or_default();
    Message::new(&format!("{code}{}", words.unwrap_or_default()))
}

//! Messaging Services of an account, and their numbers.

use serde::Deserialize;

use super::pages::{ListRows, PAGE_SIZE};
use super::wire::plain;
use super::{Account, Number, SmsError, Target};
use crate::domain::{RCS, channel_of};

/// The most Messaging Services that are searched for a number: each costs a call.
const MAX_SERVICES: usize = 150;

/// A Messaging Service of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessagingService {
    /// Its SID.
    pub sid: String,
    /// Where it sends texts.
    pub target: Target,
    /// Texts go where its numbers send them instead.
    pub target_on_number: bool,
}

/// Which Messaging Service a number is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceMembership {
    /// It is in this one.
    Service(MessagingService),
    /// It is in none of the account's.
    None,
    /// It is in none of those that were read, but there are more.
    Unknown,
}

/// A number in a Messaging Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its SID.
    pub sid: String,
    /// The number in E.164.
    pub number: String,
    /// Its country, such as `US`; `None` = not reported.
    pub country: Option<String>,
    /// Whether it can send and receive texts; `None` = not reported.
    pub sms: Option<bool>,
}

#[derive(Deserialize)]
struct ServiceBody {
    sid: Option<String>,
    inbound_request_url: Option<String>,
    inbound_method: Option<String>,
    use_inbound_webhook_on_number: Option<bool>,
}

#[derive(Deserialize)]
struct ChannelSenderBody {
    sender: Option<String>,
}

#[derive(Deserialize)]
struct MemberBody {
    sid: Option<String>,
    phone_number: Option<String>,
    country_code: Option<String>,
    capabilities: Option<Vec<String>>,
}

impl ServiceBody {
    fn read(self) -> Option<MessagingService> {
        Some(MessagingService {
            sid: plain(&self.sid?),
            target: Target::new(self.inbound_request_url, self.inbound_method),
            target_on_number: self.use_inbound_webhook_on_number.unwrap_or(false),
        })
    }
}

impl MemberBody {
    fn read(self) -> Option<Member> {
        let able = |all: Vec<String>| all.iter().any(|one| one.eq_ignore_ascii_case("SMS"));
        Some(Member {
            sid: plain(&self.sid?),
            number: plain(&self.phone_number?),
            country: self.country_code.map(|country| plain(&country)),
            sms: self.capabilities.map(able),
        })
    }
}

impl Account {
    /// The Messaging Service with this SID.
    ///
    /// # Errors
    /// The call failed.
    pub fn service(&self, sid: &str) -> Result<Option<MessagingService>, SmsError> {
        const OPERATION: &str = "look up the Messaging Service";
        let url = format!("{}/Services/{sid}", self.messaging);
        let found: Option<ServiceBody> = self.find(OPERATION, &url)?;
        Ok(found.map(|body| MessagingService {
            sid: sid.to_owned(),
            target: Target::new(body.inbound_request_url, body.inbound_method),
            target_on_number: body.use_inbound_webhook_on_number.unwrap_or(false),
        }))
    }

    /// The Messaging Service that a number is in, among the first 150.
    ///
    /// # Errors
    /// A call failed.
    pub fn service_with(&self, number: &Number) -> Result<ServiceMembership, SmsError> {
        const OPERATION: &str = "search for the number's Messaging Service";
        let url = format!("{}/Services?PageSize={PAGE_SIZE}", self.messaging);
        let services = self
            .list(OPERATION, &url, "services")?
            .map(ServiceBody::read);
        let all = services.complete && services.rows.len() <= MAX_SERVICES;
        for service in services.rows.into_iter().take(MAX_SERVICES) {
            let (sid, number) = (&service.sid, &number.sid);
            let url = format!("{}/Services/{sid}/PhoneNumbers/{number}", self.messaging);
            if self.find::<MemberBody>(OPERATION, &url)?.is_some() {
                return Ok(ServiceMembership::Service(service));
            }
        }
        Ok(if all {
            ServiceMembership::None
        } else {
            ServiceMembership::Unknown
        })
    }

    /// Whether a Messaging Service has a sender for RCS. A sender without a name does not count.
    ///
    /// # Errors
    /// The call failed.
    pub fn has_rcs(&self, service: &str) -> Result<bool, SmsError> {
        const OPERATION: &str = "list the Messaging Service's channel senders";
        let base = &self.messaging;
        let url = format!("{base}/Services/{service}/ChannelSenders?PageSize={PAGE_SIZE}");
        let listed = self.list::<ChannelSenderBody>(OPERATION, &url, "senders")?;
        let is_rcs = |body: &ChannelSenderBody| {
            let sender = body.sender.as_deref().unwrap_or_default();
            channel_of(sender).is_some_and(|(channel, _)| channel.eq_ignore_ascii_case(RCS))
        };
        Ok(listed.rows.iter().any(is_rcs))
    }

    /// The numbers of a Messaging Service.
    ///
    /// # Errors
    /// The call failed.
    pub fn members(&self, service: &str) -> Result<ListRows<Member>, SmsError> {
        const OPERATION: &str = "list the Messaging Service's numbers";
        let base = &self.messaging;
        let url = format!("{base}/Services/{service}/PhoneNumbers?PageSize={PAGE_SIZE}");
        let listed = self.list(OPERATION, &url, "phone_numbers")?;
        Ok(listed.map(MemberBody::read))
    }
}

//! Students register while strangers take every name and address that is drawn for them, on servers
//! of all ages and with answers that are lost: nobody else's account is adopted, nobody else's
//! password set, and every student still ends with one account and a login that works.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use coder_sms_register::clock::unix_now;
use coder_sms_register::config::{ClassConfig, Config, ServiceConfig};
use coder_sms_register::domain::{Marker, PasswordKey, PhoneKey, Text, UnixSeconds, Username};
use coder_sms_register::provision::{Completion, FullClass, Outcome, Provisioner};
use coder_sms_register::screen::Screens;
use coder_sms_register::twilio::sms::Sms;

use super::Assault;
use super::inside::{DOMAIN, Inside, for_each_seed, home, sid};
use super::table::Row;
use crate::classroom::student::Login;
use crate::fakes::coder::{FakeCoder, Version, ops as coder_ops};
use crate::fakes::random::Dice;
use crate::fakes::server::Request;
use crate::fakes::trouble::{Predicate, Trouble};
use crate::fakes::twilio::{FakeTwilio, ops as twilio_ops};

/// Attempts that a text is given.
const ATTEMPTS: usize = 60;

/// Plays the classes.
pub fn run(force: &Assault) -> Row {
    let count = force.pick(60, 2_000);
    let harms = for_each_seed(count, &|_| {}, play);
    let mut row = Row::new(format!("{count} classes whose names strangers take"));
    let mut taken = 0;
    for one in &harms {
        row.students += one.students;
        row.lost += one.lost;
        row.doubled += one.doubled;
        row.orphaned += one.touched.len();
        taken += one.taken;
        for harm in one.touched.iter().take(3) {
            force.says(harm);
        }
    }
    row.note = format!("{taken} names or addresses taken by strangers");
    row
}

#[derive(Default)]
struct NewcomerFindings {
    students: usize,
    lost: usize,
    doubled: usize,
    touched: Vec<String>,
    taken: usize,
}

fn play(inside: &mut Inside, seed: u64) -> NewcomerFindings {
    let mut dice = Dice::new(seed);
    let versions = [Version::V2_10, Version::V2_20, Version::Newest];
    let version = versions[usize::try_from(dice.below(3)).expect("an index")];
    let coder = Arc::new(FakeCoder::start_version(version));
    coder.rate_limits(false);
    let twilio = FakeTwilio::start_default();
    let provisioner = provisioner(inside, &coder, &twilio);
    let strangers = Arc::new(Mutex::new(0));
    coder.trouble_when(
        intruder(&coder, &strangers, dice.clone()),
        usize::MAX,
        Trouble::CutBefore,
    );
    let mut found = NewcomerFindings::default();
    for number in 0..=dice.below(3) {
        let phone = inside.new_phone();
        if dice.below(2) == 0 {
            coder.trouble(coder_ops::CREATE_USER, 1, Trouble::LoseReply);
        }
        if dice.below(3) == 0 {
            twilio.trouble(twilio_ops::SEND, 1, Trouble::LoseReply);
        }
        found.students += 1;
        let served = serve(&provisioner, &phone, seed * 10 + number);
        found.lost += usize::from(!served || !has_a_login(&coder, &twilio, &phone));
    }
    found.doubled = coder.created_ever().len().saturating_sub(found.students);
    let touched = coder.touched_foreign().into_iter();
    found.touched = touched.map(|deed| format!("seed {seed}: {deed}")).collect();
    found.taken = *strangers.lock().expect("nobody panics");
    drop(provisioner);
    inside.clear();
    found
}

/// Looks at every create before it is applied and often takes its name or its address first, in the
/// guise of an account that was there before. Never makes the call itself go wrong.
fn intruder(coder: &Arc<FakeCoder>, count: &Arc<Mutex<usize>>, dice: Dice) -> Predicate {
    // The fake must not keep itself alive.
    let (coder, count) = (Arc::downgrade(coder), Arc::clone(count));
    let dice = Mutex::new(dice);
    Box::new(move |request| {
        let mut dice = dice.lock().expect("nobody panics");
        if let (Some(coder), Some(wish)) = (coder.upgrade(), wish(request))
            && dice.below(3) > 0
            && take(&coder, &wish, &mut dice)
        {
            *count.lock().expect("nobody panics") += 1;
        }
        false
    })
}

/// What a create asks for: name, address, display name.
fn wish(request: &Request) -> Option<[String; 3]> {
    if request.method != "POST" || request.path != "/api/v2/users" {
        return None;
    }
    let body: serde_json::Value = serde_json::from_slice(&request.body).ok()?;
    let field = |name: &str| Some(body.get(name)?.as_str()?.to_owned());
    Some([field("username")?, field("email")?, field("name")?])
}

fn take(coder: &FakeCoder, [name, email, marker]: &[String; 3], dice: &mut Dice) -> bool {
    let is_there = |user: &crate::fakes::coder::Account| user.email.eq_ignore_ascii_case(email);
    if coder.user(name).is_some() || coder.users().iter().any(is_there) {
        return false;
    }
    let other = PhoneKey::derive("somebody else's key");
    let theirs = |name: &str| {
        let name = Username::parse(name).expect("a name of Coder's form");
        Marker::draw(&name, &other, &home()).as_str().to_owned()
    };
    let (name, email, display) = match dice.below(5) {
        0 => (
            name.clone(),
            format!("{name}@school.example.org"),
            String::new(),
        ),
        1 => (name.clone(), email.clone(), theirs(name)),
        2 => (name.clone(), email.clone(), String::new()),
        3 => (format!("{name}-x"), email.clone(), marker[1..].to_owned()),
        _ => (
            name.clone(),
            format!("x@{DOMAIN}"),
            marker[..marker.len() - 1].to_owned(),
        ),
    };
    if coder.users().iter().any(|user| user.email == email) {
        return false;
    }
    coder.add_stranger(&name, &email);
    coder.set_display_name(&name, &display);
    coder.make_older(&name, Duration::from_secs(30));
    true
}

/// Tries a text until it is served; `now` runs ahead of the clock, as nobody waits.
fn serve(provisioner: &Provisioner, phone: &str, number: u64) -> bool {
    let begun = unix_now();
    let text = Text {
        sid: sid(number),
        from: phone.to_owned(),
        to: "+15005550006".to_owned(),
        body: "I am ready to learn".to_owned(),
        opt_out: None,
        received: begun,
        heard: Some(Instant::now()),
    };
    (0..ATTEMPTS).any(|attempt| {
        let waited = UnixSeconds::try_from(attempt).expect("few") * 6;
        let outcome = provisioner.provision(&text, begun + waited);
        matches!(
            outcome,
            Outcome::Done(Completion::LoginSent { .. } | Completion::Silent(_))
        )
    })
}

/// Whether the last text that came is the login of an account of ours.
fn has_a_login(coder: &FakeCoder, twilio: &FakeTwilio, phone: &str) -> bool {
    let texts = twilio.texts_to(phone);
    let login = texts.last().and_then(|text| Login::read(&text.body));
    login.is_some_and(|login| {
        let students = coder.students();
        let ours = students.iter().any(|user| user.email == login.email);
        ours && coder.password_works(&login.email, &login.password)
    })
}

/// A provisioner at those servers, with the rules of every class.
pub fn provisioner(inside: &Inside, coder: &FakeCoder, twilio: &FakeTwilio) -> Provisioner {
    let config = config(coder, twilio);
    Provisioner {
        store: Arc::clone(inside.store()),
        coder: inside.client(coder),
        sms: Sms::new(inside.http().clone(), &config.twilio),
        undelivered: Arc::default(),
        key: inside.key().clone(),
        passwords: PasswordKey::parse(&"5e".repeat(32)).expect("64 digits"),
        instance_id: home(),
        class: ClassConfig {
            resend_interval: Duration::ZERO,
            resend_daily: 1_000,
            classes: config
                .class
                .classes
                .into_iter()
                .map(|mut class| {
                    class.seats = u32::MAX;
                    class
                })
                .collect(),
            ..config.class
        },
        limits: ServiceConfig {
            hourly_texts: u32::MAX,
            ..config.service
        },
        site: config.coder.address.site,
        link: None,
        organization: None,
        email_domain: config.coder.email_domain,
        sender: config.twilio.sender,
        full_class: FullClass::default(),
        reply: config.pages.reply,
        screens: Arc::new(Screens::new(Box::new(|_| {}))),
        failing_templates: Arc::default(),
    }
}

fn config(coder: &FakeCoder, twilio: &FakeTwilio) -> Config {
    let account = twilio.account();
    let settings = [
        ("TWILIO_ACCOUNT_SID", account.account_sid.clone()),
        ("TWILIO_ACCOUNT_TOKEN", account.account_token.clone()),
        ("TWILIO_AUTH_SID", account.auth_sid.clone()),
        ("TWILIO_AUTH_TOKEN", account.auth_token.clone()),
        ("FROM_NUM", account.from_numbers[0].clone()),
        (
            "TWILIO_WEBHOOK_URL",
            "https://sms.class.example.org/inbound".to_owned(),
        ),
        ("TWILIO_API_URL", twilio.url()),
        ("CODER_REG_ENV", "dev".to_owned()),
        ("CODER_EMAIL_DOM", DOMAIN.to_owned()),
        ("CODER_API_URL", coder.url()),
        ("CODER_API_KEY", coder.token()),
        ("CODER_REG_PASS", "iamreadytolearn".to_owned()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value));
    let no_file = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
    Config::from_vars(settings, &no_file).unwrap_or_else(|faults| panic!("{faults}"))
}

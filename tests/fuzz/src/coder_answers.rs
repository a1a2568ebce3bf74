//! Coder's answers to every call that we make.
//!
//! The input is the name of a call, a line end, and answers with a line `%%` between them, each a status, header lines,
//! an empty line and a body. The last one is repeated for all further requests.

use std::sync::LazyLock;
use std::time::Duration;

use coder_sms_register::coder::{
    BuildResult, Coder, CoderError, CoderErrorKind, CreateResult, DeleteResult, NewUser,
    PasswordResult, Transition, User,
};
use coder_sms_register::domain::{InstanceId, Marker, Password, PhoneKey, Secret, Username};
use coder_sms_register::http::Http;
use serde_json::Value;

use crate::assert_harmless;
use crate::server::{Asked, Scripted, Server, split_once};

const KEY: &str = "abcdefghij-SessionTokenOfTheHouse";
const ID: &str = "8f2b6f0e-6d0b-4d5e-9a59-0d3a4c1f7b11";
const NAME: &str = "happy-tuna";
const EMAIL: &str = "happy-tuna@class.example.org";

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);
static PASSWORD: LazyLock<Password> = LazyLock::new(Password::draw);

/// Reads the input, and panics where the service reads it wrongly.
pub fn check(input: &[u8]) {
    // The fuzzer sees what is compared, so it may have a server say our own secrets first.
    let said = String::from_utf8_lossy(input);
    if [KEY, PASSWORD.reveal()]
        .iter()
        .any(|secret| said.contains(secret))
    {
        return;
    }
    let (call, rest) = split_once(input, b"\n").unwrap_or((b"user", input));
    let answers = answers(rest);
    SERVER.expect(answers.clone());
    // A new client each time, as it keeps what it learns; its connections are made anew with it.
    let coder = Coder::new(HTTP.clone(), SERVER.url(), Secret::new(KEY));
    let first = &answers[0];
    let fault = match call {
        b"version" => coder.version().map(drop).err(),
        b"rights" => rights(&coder, &answers),
        b"create" => create(&coder, &answers),
        b"email" => email(&coder, first),
        b"locate" => locate(&coder),
        b"password" => password(&coder, first),
        b"suspend" => coder
            .suspend(ID)
            .map(|()| assert_eq!(first.status, 200))
            .err(),
        b"delete" => delete(&coder, first),
        b"workspaces" => workspaces(&coder, first),
        b"build" => build(&coder, first),
        _ => user(&coder, first),
    };
    let asked = SERVER.asked();
    assert!((1..=3).contains(&asked.len()), "{asked:?}");
    if let Some(fault) = fault {
        is_told_well(&fault);
        if asked.len() == 1 {
            is_sorted_well(&fault, first);
        }
    } else {
        // Nothing of the kind is ever an answer to a question.
        let last = &answers[asked.len().min(answers.len()) - 1];
        assert!(
            !matches!(last.status, 300..=399 | 401 | 403 | 428 | 429 | 500..),
            "{last:?}"
        );
        assert!(last.status < 400 || last.has(VERSION), "{last:?}");
    }
    assert!(asked.iter().all(names_nothing_secret));
}

const VERSION: &str = "X-Coder-Build-Version";

static HTTP: LazyLock<Http> = LazyLock::new(|| Http::new(Duration::from_secs(60)));

fn answers(mut rest: &[u8]) -> Vec<Scripted> {
    let mut answers = Vec::new();
    while let Some((answer, more)) = split_once(rest, b"\n%%\n") {
        answers.push(Scripted::parse(answer));
        rest = more;
    }
    answers.push(Scripted::parse(rest));
    answers.truncate(4);
    answers
}

/// The first answer is about organizations, the second one about rights.
fn rights(coder: &Coder, answers: &[Scripted]) -> Option<CoderError> {
    let rights = match coder.rights() {
        Ok(rights) => rights,
        Err(fault) => return Some(fault),
    };
    let told = answers[1.min(answers.len() - 1)].json().expect("JSON");
    for (has, name) in [
        (rights.see_users, "see users"),
        (rights.delete_users, "delete users"),
        (rights.see_workspaces, "see workspaces"),
        (rights.delete_workspaces, "delete workspaces"),
    ] {
        assert_eq!(Some(has), told[name].as_bool(), "{name}");
    }
    None
}

fn create(coder: &Coder, answers: &[Scripted]) -> Option<CoderError> {
    let username = Username::parse(NAME).expect("a name");
    let marker = Marker::draw(
        &username,
        &PhoneKey::derive("k"),
        &InstanceId::from_stored("home"),
    );
    let new = NewUser {
        username: &username,
        email: EMAIL,
        marker: &marker,
        password: &PASSWORD,
    };
    match coder.create_user(new) {
        Ok(CreateResult::Created(user)) => {
            let made = |answer: &&Scripted| [200, 201].contains(&answer.status);
            let last = answers.iter().rfind(made).expect("a 201");
            if answers.len() == 1 {
                is_the_same(&user, last.json());
            }
            None
        }
        Ok(CreateResult::Taken) => {
            assert!(answers.iter().any(|answer| answer.status == 409));
            None
        }
        Err(fault) => Some(fault),
    }
}

fn user(coder: &Coder, answer: &Scripted) -> Option<CoderError> {
    match coder.user(NAME) {
        Ok(Some(user)) => {
            assert_eq!(answer.status, 200);
            is_the_same(&user, answer.json());
        }
        Ok(None) => assert!([400, 404].contains(&answer.status), "{answer:?}"),
        Err(fault) => return Some(fault),
    }
    None
}

fn is_the_same(user: &User, json: Option<Value>) {
    if let Some(json) = json {
        assert_eq!(
            (&json["id"], &json["username"]),
            (&user.id.clone().into(), &user.username.clone().into())
        );
        assert_eq!(json["name"].as_str().unwrap_or(""), user.name);
    }
}

fn email(coder: &Coder, answer: &Scripted) -> Option<CoderError> {
    match coder.user_by_email(EMAIL) {
        Ok(found) => {
            assert_eq!(answer.status, 200);
            assert!(found.is_none_or(|user| user.email.eq_ignore_ascii_case(EMAIL)));
            None
        }
        Err(fault) => Some(fault),
    }
}

fn locate(coder: &Coder) -> Option<CoderError> {
    match coder.locate(ID, NAME) {
        Ok(found) => {
            assert!(found.is_none_or(|user| user.id == ID));
            None
        }
        Err(fault) => Some(fault),
    }
}

/// Whether Coder says that the user is not there, in its own words.
fn says_no_user(answer: &Scripted) -> bool {
    let body = String::from_utf8_lossy(&answer.body);
    // Any letter of these words may be written as an escape.
    [400, 404].contains(&answer.status)
        && (body.contains("must be an existing") || body.contains("\\u"))
}

fn password(coder: &Coder, answer: &Scripted) -> Option<CoderError> {
    match coder.set_password(ID, &PASSWORD) {
        Ok(PasswordResult::Set) => assert!([200, 204].contains(&answer.status)),
        Ok(PasswordResult::Unchanged) => assert_eq!(answer.status, 400),
        Ok(PasswordResult::NoUser) => {
            assert!(answer.status == 404 || says_no_user(answer), "{answer:?}");
        }
        // An account may be deleted for it, so only Coder's own word counts.
        Ok(PasswordResult::Forbidden) => assert!([403, 500].contains(&answer.status), "{answer:?}"),
        Err(fault) => return Some(fault),
    }
    None
}

fn delete(coder: &Coder, answer: &Scripted) -> Option<CoderError> {
    match coder.delete_user(ID) {
        Ok(DeleteResult::Done) => {
            assert!(
                [200, 204].contains(&answer.status) || says_no_user(answer),
                "{answer:?}"
            );
        }
        Ok(DeleteResult::HasWorkspaces) => assert_eq!(answer.status, 417),
        Err(fault) => return Some(fault),
    }
    None
}

fn workspaces(coder: &Coder, answer: &Scripted) -> Option<CoderError> {
    let owner = serde_json::json!({ "id": ID, "username": NAME });
    let owner: User = serde_json::from_value(owner).expect("a user");
    let ours = match coder.workspaces(&owner, NAME) {
        Ok(ours) => ours,
        Err(fault) => return Some(fault),
    };
    assert_eq!(answer.status, 200);
    assert!(ours.iter().all(|workspace| workspace.owner_id == ID));
    if let Some(json) = answer.json() {
        let all = json["workspaces"].as_array().expect("a list");
        let expected = all.iter().filter(|workspace| workspace["owner_id"] == ID);
        assert_eq!(ours.len(), expected.count());
    }
    None
}

fn build(coder: &Coder, answer: &Scripted) -> Option<CoderError> {
    match coder.build(ID, Transition::Delete) {
        Ok(BuildResult::Queued) => assert!([200, 201].contains(&answer.status)),
        Ok(BuildResult::Busy) => assert!([406, 409].contains(&answer.status)),
        Ok(BuildResult::Gone) => assert_eq!(answer.status, 410),
        Err(fault) => return Some(fault),
    }
    None
}

fn is_told_well(fault: &CoderError) {
    assert_harmless(
        &format!("{fault} {fault:?}"),
        &[KEY, PASSWORD.reveal(), EMAIL],
    );
    assert!(fault.to_string().len() < 500, "{fault}");
}

fn is_sorted_well(fault: &CoderError, answer: &Scripted) {
    let fits = match (answer.status, fault.kind) {
        (429, CoderErrorKind::Busy(wait)) => {
            wait.is_none_or(|wait| wait <= Duration::from_secs(3_600))
        }
        (429, _) => false,
        (500..=599, trouble) => trouble == CoderErrorKind::Unclear,
        // A proxy's 401 says nothing about our token.
        (400..=499, trouble) if !answer.has(VERSION) => trouble == CoderErrorKind::NotCoder,
        (401 | 403 | 428, trouble) => trouble == CoderErrorKind::Denied,
        (200..=399, trouble) => trouble == CoderErrorKind::NotCoder,
        (_, trouble) => trouble == CoderErrorKind::Refused,
    };
    assert!(fits, "{:?} of {answer:?}", fault.kind);
}

/// URLs get into the logs of proxies.
fn names_nothing_secret(asked: &Asked) -> bool {
    !asked.line.contains(KEY) && !asked.line.contains(PASSWORD.reveal())
}

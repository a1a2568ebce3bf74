//! What the server does for browsers: the cookies of a login, the web page, and sign-out.

use super::super::random;
use super::super::server::{Reply, Request};
use super::auth::{self, COOKIE, CSRF_COOKIE};
use super::world::World;

/// Has the browser keep a session. A cookie against forged requests comes with it, unless the browser has one.
pub fn keep_session(reply: Reply, token: &str, request: &Request) -> Reply {
    let reply = reply.with("Set-Cookie", lax(COOKIE, token));
    match auth::cookie(request, CSRF_COOKIE) {
        Some(_) => reply,
        None => reply.with(
            "Set-Cookie",
            lax(CSRF_COOKIE, &random::letters_and_digits(43)),
        ),
    }
}

fn lax(name: &str, value: &str) -> String {
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax")
}

/// `POST /users/logout`
pub fn log_out(world: &mut World, request: &Request) -> Reply {
    let token = auth::find_token(request, world.version).unwrap_or_default();
    world.end_key(token.split('-').next().unwrap_or_default());
    Reply::json(200, &serde_json::json!({ "message": "Logged out!" })).with(
        "Set-Cookie",
        format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"),
    )
}

/// Outside its API the real server answers with its web page, whatever the path. Here the page says who is signed in.
/// Somebody else than a browser has no business here.
pub fn web_page(world: &mut World, request: &Request) -> Reply {
    let signed_in = auth::identify(world, request).ok();
    let name = signed_in.map(|caller| world.username(&caller.id));
    let (csrf, is_new) = match auth::cookie(request, CSRF_COOKIE) {
        Some(value) => (value, false),
        None => (random::letters_and_digits(43), true),
    };
    let mut reply = Reply::text(200, &render(name.as_deref(), &csrf));
    reply.content_type = Some("text/html; charset=utf-8".to_owned());
    if is_new {
        reply = reply.with("Set-Cookie", lax(CSRF_COOKIE, &csrf));
    }
    let agent = request.header("user-agent").unwrap_or_default();
    match agent.starts_with("Mozilla/") {
        true => reply,
        false => reply.noting("outside /api/v2"),
    }
}

fn render(name: Option<&str>, csrf: &str) -> String {
    // What a cookie holds may be anything.
    let csrf: String = csrf.chars().filter(char::is_ascii_alphanumeric).collect();
    let body = match name {
        Some(name) => format!(
            "<h1>Workspaces</h1><p>Signed in as <b id=\"who\">{name}</b></p><button id=\"out\">Sign out</button>\
             <script>document.getElementById('out').onclick = () => fetch('/api/v2/users/logout', {{method: 'POST', \
             headers: {{'X-CSRF-TOKEN': '{csrf}'}}}}).then(() => location.reload())</script>"
        ),
        None => format!(
            "<h1>Sign in to Coder</h1><form><input id=\"email\" type=\"email\"><input id=\"password\" \
             type=\"password\"><button>Sign In</button></form><script>document.forms[0].onsubmit = event => {{ \
             event.preventDefault(); const value = id => document.getElementById(id).value; \
             fetch('/api/v2/users/login', {{method: 'POST', headers: {{'X-CSRF-TOKEN': '{csrf}'}}, body: \
             JSON.stringify({{email: value('email'), password: value('password')}})}}).then(() => location.reload()) \
             }}</script>"
        ),
    };
    format!(
        "<!doctype html><html lang=\"en\"><head><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Coder</title></head><body>{body}</body></html>"
    )
}

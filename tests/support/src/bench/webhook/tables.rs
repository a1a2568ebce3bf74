//! The webhook's part of the report.

use super::super::report::{Goal, Section, Table};
use super::super::stats::{Spread, number};
use super::{CROWDED, HYPER, SERVERS, Turn, Turns, WebhookFindings};

/// Draws all of it.
pub fn draw(found: &WebhookFindings) -> Section {
    let mut section = Section::new("Webhook");
    section.says(&how(found));
    section.shows(&ratios(found));
    if found.turns.iter().any(has_peer) {
        section.shows(&beside_hyper(found));
    } else {
        section
            .says("hyper was not measured: tests/peers could not be built, or was not asked for.");
    }
    section.shows(&half_load(found));
    section.shows(&rates(found));
    section.shows(&cpu(found));
    section.says(&ledger(found));
    section.goals = goals(found);
    section
}

fn how(found: &WebhookFindings) -> String {
    format!(
        "Texts with the phrase, {} bytes each with all parameters and headers that Twilio sends, every one \
         with a phone and a MessageSid of its own, signed before the clock runs. {} rounds; in each the \
         servers take turns of {} ms (or 40,000 texts; with new connections 8,000), and figures are medians of \
         the rounds with the least and the most. Everything shares this machine's processors: the sender (one \
         thread with epoll), the server and Redis, which is reached by its Unix socket. Nothing is served \
         meanwhile, as Coder refuses the service's token: the provisioner holds what it takes at most and \
         waits, and every text taken is counted in the stream. Redis rewrites its file between the rounds. \
         Connections that stay open are opened one after the other, each once the one before it has had an \
         answer, as a bare tiny_http then serves all of them; \"opened at once\" is what a crowd does.",
        found.request,
        found.rounds,
        found.limit.as_millis()
    )
}

/// The rates of a server as parts of those of another, round by round.
fn ratio(turns: &Turns, server: usize, of: usize) -> Spread {
    let pairs = turns.rates(server).zip(turns.rates(of));
    Spread::of(pairs.map(|(ours, bare)| ours / bare.max(1.0)))
}

/// Was hyper measured?
fn has_peer(turns: &Turns) -> bool {
    turns.rates(HYPER).next().is_some()
}

/// The same connections as [`ratios`], beside hyper.
fn beside_hyper(found: &WebhookFindings) -> Table {
    let heads = ["connections", "(a) of (e)", "(c) of (e)", "(d) of (e)"];
    let mut table = Table::new("**Rates as parts of (e), within one round**", &heads);
    for turns in found.turns.iter().filter(|turns| has_peer(turns)) {
        let mut row = vec![turns.mode.name()];
        row.extend([0, 2, 3].map(|server| ratio(turns, server, HYPER).per_cent()));
        table.row(row);
    }
    table
}

fn ratios(found: &WebhookFindings) -> Table {
    let heads = [
        "connections",
        "(b) of (a)",
        "(c) of (a)",
        "(d) of (a)",
        "(c) of (b)",
    ];
    let mut table = Table::new("**Rates as parts of (a), within one round**", &heads);
    for turns in &found.turns {
        let mut row = vec![turns.mode.name()];
        row.extend([1, 2, 3].map(|server| ratio(turns, server, 0).per_cent()));
        row.push(ratio(turns, 2, 1).per_cent());
        table.row(row);
    }
    table
}

fn half_load(found: &WebhookFindings) -> Table {
    let caption = "**At half of the rate that it had just before over 64 connections**, texts due at even moments; times from \
                   then on, ms (the sender looks ten times a millisecond); what the bare server takes is the \
                   machine's and the sender's own";
    let heads = ["server", "texts/s", "p50", "p99", "max"];
    let mut table = Table::new(caption, &heads);
    for half in &found.half {
        let waits = |part| Spread::of(half.turns.iter().map(|turn| turn.wait(part))).show(2);
        table.row(vec![
            server_name(half.server),
            Spread::of(half.rates.iter().copied()).show(0),
            waits(0.5),
            waits(0.99),
            waits(1.0),
        ]);
    }
    table
}

fn server_name(server: usize) -> String {
    let (letter, name) = SERVERS[server];
    format!("({letter}) {name}")
}

fn rates(found: &WebhookFindings) -> Table {
    let caption = "**Texts a second, and milliseconds from sending a text to its answer.** \"Served\": \
                   connections that got an answer at all; those that got none have no time either";
    let heads = [
        "server",
        "connections",
        "texts/s",
        "p50",
        "p99",
        "max",
        "served",
    ];
    let mut table = Table::new(caption, &heads);
    for turns in &found.turns {
        for (server, turn) in measured(turns) {
            let waits = |part| Spread::of(turn.iter().map(|turn| turn.outcome.wait(part))).show(2);
            table.row(vec![
                server_name(server),
                turns.mode.name(),
                Spread::of(turns.rates(server)).show(0),
                waits(0.5),
                waits(0.99),
                waits(1.0),
                served(turn),
            ]);
        }
    }
    table
}

/// The servers that had turns.
fn measured(turns: &Turns) -> impl Iterator<Item = (usize, &Vec<Turn>)> {
    let servers = turns.of.iter().enumerate();
    servers.filter(|(_, turns)| !turns.is_empty())
}

fn served(turns: &[Turn]) -> String {
    let outcomes = || turns.iter().map(|turn| &turn.outcome);
    if outcomes().all(|outcome| outcome.served == outcome.connections) {
        return "all".to_owned();
    }
    let parts = outcomes().map(|outcome| outcome.served as f64 / outcome.connections.max(1) as f64);
    Spread::of(parts).per_cent()
}

fn cpu(found: &WebhookFindings) -> Table {
    let heads = [
        "server",
        "connections",
        "server",
        "Redis",
        "sender's share of a core",
    ];
    let mut table = Table::new("**CPU seconds for 1,000 texts**", &heads);
    for turns in &found.turns {
        for (server, turn) in measured(turns) {
            let each = |cpu: fn(&Turn) -> Option<std::time::Duration>| {
                let each = turn.iter().filter_map(|turn| {
                    let texts = turn.outcome.taken.max(1) as f64 / 1_000.0;
                    Some(cpu(turn)?.as_secs_f64() / texts)
                });
                let each: Vec<f64> = each.collect();
                if each.is_empty() {
                    return "-".to_owned();
                }
                Spread::of(each).show(3)
            };
            table.row(vec![
                server_name(server),
                turns.mode.name(),
                each(|turn| turn.server_cpu),
                each(|turn| turn.redis_cpu),
                Spread::of(turn.iter().map(|turn| turn.outcome.busy)).per_cent(),
            ]);
        }
    }
    table
}

fn ledger(found: &WebhookFindings) -> String {
    let ledger = &found.ledger;
    let count = |count: usize| number(count as f64, 0);
    format!(
        "(c) and (d) confirmed {} texts, warm-up included; {} entries came into the stream, and {} texts were \
         without an answer when their turn ended. Turns in which the stream had fewer entries than there were \
         confirmations, or more than texts sent: {}.",
        count(ledger.confirmed),
        count(ledger.entries),
        count(ledger.unanswered),
        ledger.wrong
    )
}

fn goals(found: &WebhookFindings) -> Vec<Goal> {
    let mut goals = Vec::new();
    let crowded = |turns: &&Turns| CROWDED.contains(&turns.mode);
    for turns in found.turns.iter().filter(crowded) {
        for (server, least, of) in [(2, 0.85, 0), (3, 0.75, 0), (2, 0.35, HYPER)] {
            if of == HYPER && !has_peer(turns) {
                continue;
            }
            let (ratio, name) = (ratio(turns, server, of), server_name(server));
            goals.push(Goal::measured(
                &format!("{name}: rate over {}", turns.mode.words()),
                &format!("at least {:.0} % of ({})", least * 100.0, SERVERS[of].0),
                ratio.per_cent(),
                ratio.median >= least,
            ));
        }
    }
    // The bare one is there to show what is the machine's.
    for half in found.half.iter().filter(|half| half.server >= 2) {
        let slowest = Spread::of(half.turns.iter().map(|turn| turn.wait(0.99)));
        goals.push(Goal::measured(
            &format!("{}: p99 at half load", server_name(half.server)),
            "below 5 ms",
            format!("{} ms", slowest.show(2)),
            slowest.median < 5.0,
        ));
    }
    let services = found.turns.iter().flat_map(|turns| &turns.of[2..HYPER]);
    let left_out = services.flatten().map(|turn| &turn.outcome);
    let left_out: usize = left_out
        .map(|outcome| outcome.connections - outcome.served)
        .sum();
    goals.push(Goal::measured(
        "connections to the service without any answer",
        "none",
        left_out.to_string(),
        left_out == 0,
    ));
    goals.push(Goal::measured(
        "turns with a 200 that has no entry in the stream",
        "none",
        found.ledger.wrong.to_string(),
        found.ledger.wrong == 0,
    ));
    goals
}

//! How the pages look and sound: contrast, names and roles for screen readers, the order of the focus, no sideways
//! scrolling at any size and zoom, nothing that moves; and their pictures.

use std::path::Path;

use serde_json::{Value, json};

use super::pages::opens_the_wall;
use super::stage::{BrowserLaptop, Stage, pages_of};
use crate::browser::Window;
use crate::classroom::Classroom;

const TAB: char = '\u{E004}';

/// The parts of the join page, one of which is shown at a time.
const PARTS: [&str; 10] = [
    "plain", "open", "link", "question", "making", "other", "wait", "login", "hand", "notice",
];

/// Shows one part, filled with an example, and keeps it.
const SHOW: &str = "const [part, example] = arguments;
for (const [id, words] of Object.entries(example)) document.getElementById(id).textContent = words;
for (const section of document.querySelectorAll('section')) section.hidden = section.id != part;
window.show = () => {};";

/// Texts whose contrast with what is behind them is below that of WCAG 2 for small print, and controls without a name.
const FAULTS: &str = "const faults = [];
const parse = colour => colour.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
const behind = e => { for (; e; e = e.parentElement) {
  const colour = parse(getComputedStyle(e).backgroundColor);
  if (colour[3] !== 0) return colour;
} return [255, 255, 255]; };
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
let seen = 0;
while (walk.nextNode()) {
  const e = walk.currentNode.parentElement;
  if (!walk.currentNode.textContent.trim() || !e.getClientRects().length) continue;
  seen += 1;
  const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
  const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (contrast < 4.5) faults.push(`contrast ${contrast.toFixed(2)}: ${e.textContent.trim()}`);
}
if (!seen) faults.push('nothing is shown');
for (const e of document.querySelectorAll('button, a, svg, [role=img]')) {
  if (e.getClientRects().length && !(e.textContent.trim() || e.getAttribute('aria-label'))) {
    faults.push('no name: ' + e.outerHTML.slice(0, 80));
  }
}
const wide = document.documentElement.scrollWidth - innerWidth;
if (wide > 0) faults.push(`${wide} pixels too wide`);
for (const e of document.querySelectorAll('*')) {
  const style = getComputedStyle(e);
  if (style.animationName != 'none' || parseFloat(style.transitionDuration)) faults.push('moves: ' + e.tagName);
  if (e.tabIndex > 0) faults.push('its place in the order of the focus is not that on the page: ' + e.tagName);
}
if (!document.documentElement.lang) faults.push('no language');
if (document.querySelectorAll('h1').length && ![...document.querySelectorAll('h1')].some(h => h.getClientRects().length)) {
  faults.push('no heading');
}
return faults;";

/// The wall in the middle of a class, at an address as it is outside of tests. It asks for no newer figures.
const WALL: &str = "window.fetch = () => new Promise(() => {});
document.querySelector('.laptop b').textContent = 'sms.example.org';
document.getElementById('in').textContent = 23;
document.getElementById('seats').textContent = 40;
document.getElementById('of').hidden = document.getElementById('count').hidden = false;";

/// As long as the settings allow, without a place to break: an organization, and the host of the pages.
const LONG_NAMES: &str = "document.querySelector('header').textContent = 'U'.repeat(80);
for (const e of document.querySelectorAll('footer p, .laptop b')) e.textContent = 'sms.' + 'u'.repeat(60) + '.example.org';";

/// A phrase that is written from right to left.
const FROM_THE_RIGHT: &str = "const phrase = document.getElementById('phrase');
phrase.textContent = 'أنا جاهز!';
const end = document.createRange();
end.setStart(phrase.firstChild, 8);
end.setEnd(phrase.firstChild, 9);
const whole = document.createRange();
whole.selectNodeContents(phrase);
return end.getBoundingClientRect().left == whole.getBoundingClientRect().left;";

fn example() -> Value {
    json!({
        "code": "48217", "ends": "23", "seconds": "12", "name": "happy-tuna", "who": "happy-tuna",
        "email": "happy-tuna@class.example.org", "password": "mfkt8-r3tnz-vk2pd",
        "words": "The class is full at the moment. Ask your instructor.",
    })
}

/// What can have the focus, from the top of the page to its end, as a person sees it.
const CONTROLS: &str = "const seen = [...document.querySelectorAll('a, button')].filter(e => e.getClientRects().length);
const place = e => { const { top, left } = e.getBoundingClientRect(); return [Math.round(top + scrollY), left]; };
seen.sort((a, b) => place(a)[0] - place(b)[0] || place(a)[1] - place(b)[1]);
return seen.map(e => e.innerText.trim());";

/// The next tabulator goes to the first control.
const FROM_THE_TOP: &str = "const top = document.querySelector('header');
top.tabIndex = -1;
top.focus();
top.removeAttribute('tabindex');";

/// What has the focus, and whether that is to be seen.
const FOCUS: &str = "const e = document.activeElement;
return [e.innerText.trim(), getComputedStyle(e).outlineStyle != 'none' && e.matches(':focus-visible')];";

/// A tabulator goes from each control to the next one, and shows where it is.
fn tabulator_goes_down(window: &Window<'_>, part: &str) {
    let controls = window.run(CONTROLS, &[]).expect("a script");
    window.run(FROM_THE_TOP, &[]).expect("a script");
    for control in controls.as_array().expect("a list") {
        window.presses(&[TAB]);
        let focus = window.run(FOCUS, &[]);
        assert_eq!(focus, Ok(json!([control, true])), "{part}: {controls}");
    }
}

/// What Chromium tells a screen reader: each control is a button or a link with a name, and there is one main heading.
fn is_told_to_screen_readers(window: &Window<'_>, part: &str) {
    let tree = window.devtools("Accessibility.getFullAXTree", &json!({}));
    let nodes = tree["nodes"].as_array().expect("a tree");
    let mut headings = 0;
    for node in nodes.iter().filter(|node| node["ignored"] != true) {
        let role = node["role"]["value"].as_str().unwrap_or_default();
        let name = node["name"]["value"].as_str().unwrap_or_default().trim();
        let has = |what: &str| {
            let properties = node["properties"].as_array().into_iter().flatten();
            properties
                .into_iter()
                .find(|one| one["name"] == what)
                .map(|one| one["value"]["value"].clone())
        };
        if has("focusable") == Some(json!(true)) && role != "RootWebArea" {
            assert!(["button", "link"].contains(&role), "{part}: {node}");
            assert!(!name.is_empty(), "{part}: {node}");
        }
        if role == "heading" && has("level") == Some(json!(1)) {
            assert!(!name.is_empty(), "{part}: {node}");
            headings += 1;
        }
    }
    assert_eq!(headings, 1, "{part}: main headings");
    let live = nodes.iter().any(|node| {
        let properties = node["properties"].as_array().into_iter().flatten();
        let mut live = properties.filter(|one| one["name"] == "live");
        node["role"]["value"] == "main" && live.any(|one| one["value"]["value"] == "polite")
    });
    assert!(live, "{part}: a change is not read out by itself");
}

fn has_no_faults(window: &Window<'_>, what: &str) {
    let faults = window.run(FAULTS, &[]);
    assert_eq!(faults, Ok(json!([])), "{what}");
}

/// What is shown has no faults in light and dark, on any size of screen, and in large letters.
fn fits_everywhere(window: &Window<'_>, what: &str) {
    // The last two are a laptop and a large screen at a zoom of 200 %.
    let sizes = [
        (320, 568, 1),
        (390, 844, 1),
        (1366, 768, 1),
        (3840, 2160, 1),
        (683, 384, 2),
        (960, 540, 2),
    ];
    for dark in [false, true] {
        window.is_dark(dark);
        for (width, height, dots) in sizes {
            window.is_sized(width, height, dots);
            has_no_faults(window, &format!("{what} at {width}, dark: {dark}"));
        }
    }
    // Letters twice as large, and nothing else.
    for (width, height) in [(390, 844), (1366, 768)] {
        window.is_sized(width, height, 1);
        let large = |size: &str| {
            let script = "document.documentElement.style.fontSize = arguments[0]";
            window.run(script, &[size.into()]).expect("a script");
        };
        large("200%");
        has_no_faults(window, &format!("{what} in large letters at {width}"));
        large("");
    }
}

/// Every page, in light and dark, from 320 pixels to 4K.
pub fn of_all_pages(stage: &Stage) {
    let class = stage.class("both");
    let window = stage.browser().private_window();
    let everywhere = |what: &str| fits_everywhere(&window, what);
    for path in ["/privacy", "/terms"] {
        window.open(&format!("{}{path}", pages_of(&class)));
        everywhere(path);
    }
    window.open(&format!("{}/", pages_of(&class)));
    window.eventually_shows("#open");
    for part in PARTS {
        let shown = window.run(SHOW, &[part.into(), example()]);
        shown.expect("a part is shown");
        everywhere(part);
        window.is_sized(1366, 768, 1);
        tabulator_goes_down(&window, part);
        is_told_to_screen_readers(&window, part);
    }
    window.run(LONG_NAMES, &[]).expect("a script");
    everywhere("long names");
    opens_the_wall(&window, &class);
    everywhere("the wall");
    let ends_left = window.run(FROM_THE_RIGHT, &[]);
    assert_eq!(ends_left, Ok(true.into()), "the phrase is torn apart");
    window.run(LONG_NAMES, &[]).expect("a script");
    everywhere("the wall of long names");
    window.close();
    if let Some(folder) = &stage.pictures {
        draw(stage, &class, folder);
    }
}

/// Draws the pages as they are, and the parts of the join page with examples.
fn draw(stage: &Stage, class: &Classroom, folder: &Path) {
    std::fs::create_dir_all(folder).expect("a folder");
    let window = stage.browser().private_window();
    let laptop = BrowserLaptop::opens(window, class);
    let window = &laptop.window;
    let takes = |name: &str| {
        let file = folder.join(format!("{name}.png"));
        std::fs::write(file, window.picture()).expect("a picture is written");
    };
    laptop.code();
    for (part, dark) in [
        ("open", true),
        ("link", false),
        ("question", true),
        ("other", false),
        ("wait", false),
        ("hand", false),
        ("notice", false),
        ("plain", false),
    ] {
        let shown = window.run(SHOW, &[part.into(), example()]);
        shown.expect("a part is shown");
        window.is_dark(false);
        window.is_sized(1366, 768, 1);
        takes(&format!("laptop-{part}"));
        window.is_sized(390, 844, 1);
        takes(&format!("phone-{part}"));
        if dark {
            window.is_dark(true);
            window.is_sized(1366, 768, 1);
            takes(&format!("laptop-{part}-dark"));
        }
    }
    opens_the_wall(window, class);
    window.run(WALL, &[]).expect("a script");
    window.is_sized(1920, 1080, 1);
    for (dark, name) in [(false, "projector"), (true, "projector-dark")] {
        window.is_dark(dark);
        takes(name);
    }
    window.is_dark(false);
    window.is_sized(1366, 768, 1);
    for path in ["privacy", "terms"] {
        window.open(&format!("{}/{path}", pages_of(class)));
        takes(&format!("laptop-{path}"));
    }
    laptop.window.close();
}

//! The picture of the README shows what the program shows.

use std::path::PathBuf;
use std::time::Duration;

use super::masks::masked;
use super::{read, root};
use support::picture::PictureScene;

/// What a drawing of ours says, in an order that does not depend on names.
fn words(svg: &str) -> Vec<String> {
    let texts = svg.lines().filter(|line| line.starts_with("<text "));
    let bare = |line: &str| {
        let between = line.split('<').filter_map(|part| part.split_once('>'));
        between.map(|(_, words)| words).collect::<String>()
    };
    let mut words: Vec<String> = texts.flat_map(|line| masked(&bare(line))).collect();
    words.sort();
    words
}

#[test]
fn the_picture_is_what_the_program_shows() {
    let drawn = read(&root().join("docs/picture.svg"));
    let scene = PictureScene::play(
        PathBuf::from(env!("CARGO_BIN_EXE_coder-sms-register")),
        Duration::ZERO,
    );
    assert_eq!(
        words(&drawn),
        words(&scene.drawn()),
        "docs/picture.svg is behind; type: make pages"
    );
}

#[test]
fn the_picture_is_well_formed() {
    let drawn = read(&root().join("docs/picture.svg"));
    let mut open: Vec<&str> = Vec::new();
    for tag in drawn.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').expect("a tag ends");
        assert!(!text.contains('&') || text.contains(';'), "{text}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap());
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert!(read(&root().join("README.md")).contains("(docs/picture.svg)"));
}

//! Two lists of friendly words for usernames such as `happy-tuna`.
//!
//! Rules for a word: common English that a learner can read and spell, 3 to 8 lower-case ASCII
//! letters, spelled the same in British and American English, and no easily mistaken homophone
//! where one can be avoided. Fit for any classroom: nothing about body, skin, age, health, wealth,
//! faith, politics, sex, violence or drugs, no insult and no slang for one of these. Every first
//! half must be harmless with every second half. Within a list, no two words differ by one typing
//! error, so one wrong letter never makes another name.

/// First halves: what something can be like. Sorted, unique, 3 to 8 lower-case ASCII letters.
pub(super) const ADJECTIVES: [&str; 423] = [
    "abstract", "accurate", "active", "adaptive", "adept", "admired", "advanced", "affable",
    "agile", "airy", "alert", "alpine", "amazing", "amber", "ambient", "amiable", "amused",
    "amusing", "animated", "approved", "aquatic", "artful", "artistic", "astral", "attuned",
    "avid", "awake", "awesome", "azure", "balanced", "beaming", "blissful", "bold", "bonus",
    "brave", "breezy", "bright", "brisk", "busy", "calm", "candid", "capable", "carefree",
    "careful", "central", "ceramic", "certain", "cheerful", "cheering", "chiming", "chipper",
    "chirpy", "citrus", "classic", "clear", "clever", "climbing", "cloudy", "coastal", "cobalt",
    "coded", "coherent", "comfy", "complete", "composed", "constant", "content", "cool", "cordial",
    "correct", "cosmic", "creative", "credible", "crowned", "culinary", "curious", "custom",
    "cycling", "dancing", "dapper", "daring", "dazzling", "decisive", "definite", "denim",
    "detailed", "digital", "diligent", "direct", "distinct", "dotted", "dreaming", "drumming",
    "dynamic", "eager", "early", "echoing", "elated", "electric", "elegant", "eloquent", "emerald",
    "empathic", "enduring", "engaging", "epic", "equal", "esteemed", "eventful", "everyday",
    "evident", "exact", "expert", "fabled", "fabulous", "famed", "familiar", "famous", "fancy",
    "fast", "fearless", "festive", "fizzy", "floral", "fluent", "folded", "forested", "formal",
    "friendly", "frosty", "future", "galactic", "gallant", "generous", "gentle", "genuine",
    "gifted", "glad", "gleaming", "gleeful", "gliding", "glinting", "glittery", "glorious",
    "glossy", "glowing", "golden", "good", "gracious", "granite", "grateful", "great", "grinning",
    "groovy", "handmade", "happy", "harmonic", "hearty", "helpful", "heroic", "hiking", "historic",
    "honest", "hopeful", "hopping", "humble", "humorous", "iconic", "ideal", "improved", "indigo",
    "indoor", "infinite", "informed", "inland", "inspired", "instant", "intrepid", "jaunty",
    "jazzy", "jingling", "jogging", "jolly", "jovial", "joyful", "jubilant", "keen", "kind",
    "kinetic", "lakeside", "laughing", "layered", "leafy", "leaping", "lemony", "level", "lilac",
    "linen", "lively", "logical", "loyal", "lucky", "luminous", "lunar", "lyrical", "magenta",
    "magical", "magnetic", "majestic", "marble", "matching", "measured", "mellow", "merry",
    "metallic", "meteoric", "midday", "mighty", "mild", "mindful", "minty", "mirthful", "modern",
    "modest", "modular", "moonlit", "musical", "mythical", "nautical", "nearby", "neat", "neon",
    "neutral", "nice", "nifty", "nimble", "noble", "notable", "numeric", "oceanic", "ongoing",
    "online", "opal", "operatic", "optimal", "orbital", "orderly", "organic", "original", "ornate",
    "outdoor", "outgoing", "pacific", "parallel", "pastel", "peaceful", "peppy", "perfect",
    "planned", "playful", "pleasant", "pleased", "poetic", "polished", "polite", "popular",
    "portable", "powerful", "precise", "premium", "prepared", "pristine", "prized", "profound",
    "prompt", "proper", "proud", "proven", "punctual", "purple", "puzzling", "quaint", "quantum",
    "quick", "quiet", "quilted", "racing", "radiant", "rainy", "rational", "readable", "reading",
    "ready", "refined", "regal", "relaxed", "reliable", "renewed", "resolute", "restful", "retro",
    "roaming", "safe", "savvy", "scenic", "scripted", "seamless", "seaside", "seasonal", "secure",
    "sensible", "serene", "shimmery", "shining", "silent", "silken", "silver", "sincere",
    "singing", "skating", "sketched", "skilled", "skyward", "smart", "smiling", "soaring",
    "sociable", "social", "solar", "solving", "sonic", "soulful", "sparkly", "specific", "speedy",
    "spinning", "spiral", "spirited", "splendid", "sporty", "spotless", "starlit", "starry",
    "stately", "steady", "stellar", "stereo", "sterling", "studious", "stylish", "sublime",
    "sunlit", "sunny", "super", "surfing", "swift", "symbolic", "tactful", "tailored", "talented",
    "tasteful", "teal", "techno", "terrific", "textured", "thankful", "thematic", "thinking",
    "thrilled", "thriving", "tidy", "timeless", "timely", "touring", "tranquil", "trekking",
    "trendy", "tropical", "true", "trusted", "truthful", "tuned", "tuneful", "twirling",
    "ultimate", "unafraid", "uncommon", "undersea", "unique", "upbeat", "updated", "upstream",
    "upward", "useful", "valiant", "valued", "varied", "velvet", "verified", "vigilant", "virtual",
    "visual", "vital", "vivid", "waltzing", "watchful", "waving", "weekend", "welcome", "whirling",
    "winged", "winning", "wireless", "wise", "witty", "wondrous", "woodland", "worthy", "woven",
    "zesty", "zigzag", "zippy", "zooming",
];

/// Second halves: animals, plants, places, sky, music, craft, science and food. Sorted, unique, 3
/// to 8 lower-case ASCII letters.
pub(super) const NOUNS: [&str; 488] = [
    "abacus", "acorn", "algebra", "almanac", "alpaca", "anchovy", "antelope", "anvil", "apple",
    "apricot", "aquarium", "arcade", "archway", "aspen", "atlas", "atom", "aurora", "avocado",
    "azalea", "backpack", "badger", "bagel", "bakery", "ballad", "ballet", "bamboo", "banjo",
    "barley", "bassoon", "beacon", "beetle", "begonia", "bicycle", "bison", "blossom", "bluebell",
    "bluebird", "bluejay", "bookcase", "bookmark", "branch", "breeze", "bridge", "brook", "broth",
    "bugle", "cabin", "cactus", "cafe", "canary", "candle", "canoe", "canopy", "canvas", "canyon",
    "capybara", "carbon", "cardigan", "caribou", "carnival", "carousel", "cartoon", "castle",
    "cedar", "celery", "cello", "chalk", "chapter", "chime", "chipmunk", "chorus", "chowder",
    "cinnamon", "clarinet", "cloud", "clover", "coast", "comet", "compass", "concerto", "coral",
    "cosmos", "cove", "crane", "crayon", "cricket", "crocus", "crouton", "cube", "daffodil",
    "daybreak", "daylight", "decimal", "delta", "diagram", "diorama", "disco", "dolphin", "domino",
    "dragon", "drum", "duet", "dune", "dusk", "eagle", "easel", "eclipse", "electron", "element",
    "elk", "emblem", "emoji", "emu", "encore", "engine", "envelope", "equation", "equator",
    "eraser", "espresso", "essay", "fable", "falcon", "fanfare", "feather", "fennel", "fern",
    "festival", "finch", "firefly", "flamingo", "folder", "forest", "formula", "fractal",
    "fraction", "fresco", "frost", "gadget", "galaxy", "gallery", "garden", "garland", "garnet",
    "gazebo", "gazelle", "gecko", "gem", "glacier", "glade", "glider", "gondola", "gopher",
    "granola", "grove", "guitar", "haiku", "halibut", "hammock", "hamster", "harmony", "harp",
    "hedge", "hedgehog", "helix", "herring", "hexagon", "hill", "hillside", "hologram", "honeybee",
    "horizon", "iceberg", "icon", "iguana", "island", "jacket", "jaguar", "jigsaw", "jingle",
    "journal", "jukebox", "juniper", "jupiter", "kale", "kangaroo", "kayak", "kazoo", "kelp",
    "kestrel", "kettle", "keyboard", "keystone", "kiwi", "koala", "ladder", "lagoon", "lake",
    "lamp", "lantern", "lanyard", "lark", "laser", "latte", "lavender", "ledger", "legend",
    "lemon", "lens", "lentil", "leopard", "letter", "lettuce", "library", "lime", "lion", "llama",
    "lobster", "locket", "lullaby", "macaroni", "macaw", "magnet", "magnolia", "magpie",
    "mandolin", "mango", "mantis", "map", "maple", "marigold", "marina", "market", "marlin",
    "marmot", "marzipan", "matrix", "meadow", "medley", "meerkat", "melody", "meteor", "millet",
    "mint", "mitten", "module", "molecule", "monocle", "monorail", "moonbeam", "moose", "mosaic",
    "moss", "motor", "mulberry", "mural", "museum", "nautilus", "nebula", "neptune", "noodle",
    "notebook", "nova", "oak", "oasis", "oatmeal", "oboe", "ocean", "octagon", "octave", "octopus",
    "okra", "onion", "opera", "orbit", "orchard", "orchid", "oregano", "origami", "osprey",
    "ostrich", "otter", "owl", "oxygen", "palace", "panda", "paprika", "parade", "parakeet",
    "parasol", "parcel", "parrot", "parsley", "parsnip", "pasta", "pattern", "pavilion", "pebble",
    "pelican", "pendant", "pendulum", "penguin", "pepper", "pesto", "petunia", "photon", "piano",
    "pinecone", "pinwheel", "pixel", "planet", "plankton", "platypus", "plaza", "pluto", "polenta",
    "polka", "polygon", "pond", "popcorn", "porridge", "portal", "possum", "postcard", "poster",
    "pottery", "prairie", "prelude", "pretzel", "primrose", "prism", "puffin", "pulsar", "puma",
    "puzzle", "quark", "quartet", "quilt", "quiz", "quokka", "radar", "radio", "radish", "radius",
    "rainbow", "raven", "ravine", "ravioli", "recipe", "recorder", "reef", "reindeer", "relay",
    "ribbon", "riddle", "risotto", "river", "robin", "robot", "ruler", "safari", "saffron", "saga",
    "sailboat", "sailfish", "salmon", "salsa", "samba", "sandal", "sandbar", "sapling", "sardine",
    "satchel", "saturn", "saucer", "scarf", "scooter", "scribble", "scroll", "seagull", "seahorse",
    "seal", "seashell", "sesame", "signal", "skate", "sketch", "sky", "skylark", "skylight",
    "skyline", "sled", "slipper", "smoothie", "snorkel", "snowdrop", "soda", "sonata", "song",
    "songbird", "sonnet", "soup", "sparrow", "spatula", "sphere", "spinach", "spindle", "sprocket",
    "spruce", "squid", "squirrel", "stadium", "stanza", "stapler", "star", "starling", "stencil",
    "story", "strudel", "studio", "sudoku", "suitcase", "summit", "sunbeam", "sundial", "sunfish",
    "sunlight", "sunrise", "sunset", "sunshine", "swan", "symphony", "tandem", "tapestry",
    "teacup", "tempo", "tenor", "terrace", "textbook", "theorem", "thimble", "thistle", "thread",
    "thunder", "ticket", "tiger", "tile", "tinsel", "toaster", "toboggan", "toffee", "topaz",
    "toucan", "tractor", "treetop", "trellis", "trolley", "trophy", "tulip", "tuna", "tundra",
    "tunic", "turbine", "turtle", "twilight", "unicycle", "valley", "vase", "vault", "vector",
    "verse", "vinyl", "violin", "visor", "voyage", "waffle", "wagon", "wallaby", "waltz", "wheat",
    "wheel", "willow", "windmill", "window", "wombat", "workshop", "yarn", "zenith",
];

#[cfg(test)]
mod tests {
    use super::{ADJECTIVES, NOUNS};

    const LISTS: [&[&str]; 2] = [&ADJECTIVES, &NOUNS];

    /// One letter changed, added or left out, or two neighbours swapped.
    fn one_slip_apart(left: &str, right: &str) -> bool {
        let (a, b) = (left.as_bytes(), right.as_bytes());
        let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
        let (a, b) = (&a[head..], &b[head..]);
        match (a, b) {
            ([], rest) | (rest, []) => rest.len() == 1,
            ([_, a_rest @ ..], [_, b_rest @ ..]) => {
                let swapped = matches!((a, b), ([p, q, ar @ ..], [r, s, br @ ..])
                    if p == s && q == r && ar == br);
                a_rest == b_rest || a_rest == b || a == b_rest || swapped
            }
        }
    }

    #[test]
    fn each_list_has_400_to_512_words() {
        for list in LISTS {
            assert!((400..=512).contains(&list.len()), "{} words", list.len());
        }
    }

    #[test]
    fn words_are_3_to_8_lower_case_ascii_letters() {
        for word in LISTS.concat() {
            assert!((3..=8).contains(&word.len()), "{word}");
            assert!(word.bytes().all(|b| b.is_ascii_lowercase()), "{word}");
        }
    }

    #[test]
    fn each_list_is_sorted_and_unique() {
        for list in LISTS {
            for pair in list.windows(2) {
                assert!(pair[0] < pair[1], "{} before {}", pair[0], pair[1]);
            }
        }
    }

    #[test]
    fn no_word_is_in_both_lists() {
        for word in ADJECTIVES {
            assert!(!NOUNS.contains(&word), "{word}");
        }
    }

    #[test]
    fn no_typing_error_turns_one_word_into_another() {
        for list in LISTS {
            for (at, left) in list.iter().enumerate() {
                for right in &list[at + 1..] {
                    assert!(!one_slip_apart(left, right), "{left} and {right}");
                }
            }
        }
    }

    #[test]
    fn typing_errors_are_recognised() {
        for (left, right) in [
            ("coral", "moral"),
            ("tuna", "tunas"),
            ("river", "rivr"),
            ("lion", "loin"),
        ] {
            assert!(
                one_slip_apart(left, right) && one_slip_apart(right, left),
                "{left} {right}"
            );
        }
        for (left, right) in [
            ("tuna", "tuna"),
            ("panda", "puma"),
            ("oak", "koa"),
            ("owl", "owlet"),
        ] {
            assert!(
                !one_slip_apart(left, right) && !one_slip_apart(right, left),
                "{left} {right}"
            );
        }
    }
}

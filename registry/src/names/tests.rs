//! The grammar by example and by property.

use super::*;

/// SplitMix64, enough to draw names.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn text(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..length)
            .map(|_| letters[self.below(letters.len())])
            .collect()
    }

    /// An id built from the grammar's own rules.
    fn id(&mut self) -> Id {
        let (tail, more) = (self.below(6), self.below(6));
        let namespace = self.text("abcxyz", 1) + &self.text("abcxyz0189_-", tail);
        let mut name = self.text("abcXYZv", 1) + &self.text("abcXYZ0189_v", more);
        for _ in 0..self.below(3) {
            // The leading letter keeps the part from reading like a version.
            let length = self.below(4);
            name += &format!("-p{}", self.text("abXY01_v", length));
        }
        let version = [0, 1, 9, 10, 4_294_967_295][self.below(5)];
        Id {
            namespace,
            name,
            version,
        }
    }
}

#[test]
fn the_ids_of_the_project_parse() {
    for text in [
        "classic/CartPole-v1",
        "classic/MountainCarContinuous-v0",
        "mpe/SimpleSpread-v3",
        "cards/KuhnPoker-v0",
        "core/PPO-v0",
        "comm/TarMAC-v0",
        "grid/Foraging-8x8-2p-3f-v3",
    ] {
        assert_eq!(text.parse::<Id>().unwrap().to_string(), text);
    }
}

#[test]
fn ids_outside_the_grammar_are_refused() {
    for text in [
        "",
        "/",
        "CartPole",
        "CartPole-v1",
        "classic/CartPole",
        "classic/-v1",
        "/CartPole-v1",
        "Classic/CartPole-v1",
        "1classic/CartPole-v1",
        "classic/1CartPole-v1",
        "classic/CartPole-v",
        "classic/CartPole-v01",
        "classic/CartPole-v4294967296",
        "classic/CartPole-v-1",
        "classic/CartPole-v1-v2",
        "classic/CartPole--v1",
        "classic/Cart Pole-v1",
        "classic/CartPolé-v1",
        "classic/sub/CartPole-v1",
        "classic/CartPole-v1\n",
        "classic/CartPole-v1@1.0.0",
        "../../CartPole-v1",
    ] {
        assert!(text.parse::<Id>().is_err(), "{text:?} parsed");
    }
}

#[test]
fn queries_leave_parts_out() {
    let id: Id = "classic/CartPole-v1".parse().unwrap();
    for text in [
        "CartPole",
        "CartPole-v1",
        "classic/CartPole",
        "classic/CartPole-v1",
        "CartPole@0.1.0",
        "classic/CartPole-v1@1.2.3-rc.1",
    ] {
        let query: Query = text.parse().unwrap();
        assert!(query.matches(&id), "{text}");
        assert_eq!(query.to_string(), text);
    }
    for text in ["cartpole", "CartPole-v2", "mpe/CartPole", "Cart"] {
        assert!(!text.parse::<Query>().unwrap().matches(&id), "{text}");
    }
    for text in ["", "CartPole@", "CartPole@1", "CartPole@x", "a/b/C", "-v1"] {
        assert!(text.parse::<Query>().is_err(), "{text:?} parsed");
    }
}

#[test]
fn versions_order_as_numbers() {
    let mut ids: Vec<Id> = ["a/X-v10", "a/X-v9", "b/A-v0", "a/Y-v0"]
        .iter()
        .map(|t| t.parse().unwrap())
        .collect();
    ids.sort();
    let sorted: Vec<String> = ids.iter().map(Id::to_string).collect();
    assert_eq!(sorted, ["a/X-v9", "a/X-v10", "a/Y-v0", "b/A-v0"]);
}

#[test]
fn property_every_id_of_the_grammar_round_trips() {
    let mut draw = Draw(1);
    for _ in 0..20_000 {
        let id = draw.id();
        let text = id.to_string();
        assert_eq!(text.parse::<Id>().as_ref(), Ok(&id), "{text}");
        let query: Query = text.parse().unwrap();
        assert!(query.matches(&id), "{text}");
        let bare = Query {
            namespace: None,
            version: None,
            ..query
        };
        assert_eq!(bare.to_string().parse::<Query>(), Ok(bare));
    }
}

#[test]
fn property_whatever_parses_prints_as_it_was_typed() {
    let mut draw = Draw(2);
    let (mut ids, mut queries) = (0, 0);
    for _ in 0..100_000 {
        let mut text: Vec<char> = draw.id().to_string().chars().collect();
        for _ in 0..1 + draw.below(3) {
            let at = draw.below(text.len());
            let letter = draw.text("aAv01-/@._ é", 1);
            text.splice(at..=at, letter.chars().take(draw.below(3)));
            text.push('7');
        }
        let text: String = text.into_iter().collect();
        if let Ok(id) = text.parse::<Id>() {
            ids += 1;
            assert_eq!(id.to_string(), text);
        }
        if let Ok(query) = text.parse::<Query>() {
            queries += 1;
            assert_eq!(query.to_string(), text);
        }
    }
    assert!(
        ids > 1_000 && queries > 5_000 && queries < 95_000,
        "{ids}, {queries}"
    );
}
